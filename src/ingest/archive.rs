//! Whether a document that is a ZIP archive is one, and harmless: judged by its central directory alone, so that nothing is
//! ever unpacked.

use super::files::{Content, extension_of};
use crate::codes::Code;

const MOST_ENTRIES: u64 = 2_000;
const MOST_UNPACKED: u64 = 100 * 1024 * 1024;
const MOST_RATIO: u64 = 100;
/// Bytes of the directory: it is the one thing of a file that is read at once.
const MOST_DIRECTORY: u64 = 1024 * 1024;

/// Whether it is an archive that has this entry or folder, and nothing dangerous in it.
pub(super) fn zip(content: &mut dyn Content, wanted: &str) -> Result<(), Code> {
    let size = content.size();
    let tail_size = size.min(65_557);
    let mut tail = vec![0; usize::try_from(tail_size).unwrap_or_default()];
    content.read_at(size - tail_size, &mut tail).map_err(|_| Code::FileContent)?;
    let end_at = end_record(&tail)?;
    let end = tail.get(end_at..).unwrap_or_default();
    let (entries, length, begin) = (number(end, 10, 2)?, number(end, 12, 4)?, number(end, 16, 4)?);
    // The directory ends where its end record begins, on one disk: whatever unpacks the file sees this very directory.
    // 0xffff and 0xffffffff mean ZIP64, which no CV needs.
    let disks = (number(end, 4, 4)?, number(end, 8, 2)?);
    let adjoins = begin + length == size - tail_size + end_at as u64;
    if entries > MOST_ENTRIES || length > MOST_DIRECTORY || disks != (0, entries) || !adjoins {
        return Err(Code::FileArchive);
    }
    let mut directory = vec![0; usize::try_from(length).unwrap_or_default()];
    content.read_at(begin, &mut directory).map_err(|_| Code::FileContent)?;
    let mut rest = directory.as_slice();
    let (mut unpacked, mut found) = (0_u64, false);
    for _ in 0..entries {
        if !rest.starts_with(b"PK\x01\x02") {
            return Err(Code::FileContent);
        }
        unpacked = unpacked.saturating_add(number(rest, 24, 4)?);
        let name_length = usize::try_from(number(rest, 28, 2)?).unwrap_or_default();
        let more = usize::try_from(number(rest, 30, 2)? + number(rest, 32, 2)?).unwrap_or_default();
        let name = String::from_utf8_lossy(rest.get(46..46 + name_length).ok_or(Code::FileContent)?).into_owned();
        if is_dangerous(&name) {
            return Err(Code::FileArchive);
        }
        found |= name == wanted || (wanted.ends_with('/') && name.starts_with(wanted));
        rest = rest.get(46 + name_length + more..).ok_or(Code::FileContent)?;
    }
    if unpacked > MOST_UNPACKED || unpacked > size * MOST_RATIO || !rest.is_empty() {
        return Err(Code::FileArchive);
    }
    if found { Ok(()) } else { Err(Code::FileContent) }
}

/// Where the end record lies. Two that both reach to the end of the file are two readings of it.
fn end_record(tail: &[u8]) -> Result<usize, Code> {
    let mut found = None;
    for (at, _) in tail.windows(4).enumerate().filter(|(_, part)| *part == b"PK\x05\x06") {
        let rest = tail.get(at..).unwrap_or_default();
        let Ok(comment) = number(rest, 20, 2) else { continue };
        if rest.len() as u64 == 22 + comment && found.replace(at).is_some() {
            return Err(Code::FileArchive);
        }
    }
    found.ok_or(Code::FileContent)
}

fn is_dangerous(entry: &str) -> bool {
    let lower = entry.to_lowercase();
    let outside = lower.starts_with('/')
        || lower.contains('\\')
        || lower.contains(':')
        || lower.split('/').any(|part| part == "..");
    let nested = ["zip", "rar", "7z", "gz", "bz2", "xz", "tar", "jar", "exe", "dll", "js", "vbs", "bat"]
        .contains(&extension_of(&lower));
    outside || nested || lower.ends_with("vbaproject.bin")
}

fn number(bytes: &[u8], at: usize, length: usize) -> Result<u64, Code> {
    let part = bytes.get(at..at + length).ok_or(Code::FileContent)?;
    Ok(part.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}
