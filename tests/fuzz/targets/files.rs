//! File checks: a line with the name, then the content. A second reading of an archive's directory says that what was taken
//! keeps to the limits.

use halt_tracker::ingest::files::{self, Content};

const ALLOWED: [&str; 9] = ["pdf", "doc", "docx", "odt", "rtf", "txt", "jpg", "jpeg", "png"];

struct Bytes<'a>(&'a [u8]);

impl Content for Bytes<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&mut self, at: u64, out: &mut [u8]) -> std::io::Result<usize> {
        let from = self.0.get(at as usize..).unwrap_or_default();
        let count = from.len().min(out.len());
        out[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }
}

pub fn read(bytes: &[u8]) -> bool {
    let (name, content) = super::line(bytes);
    let judged = files::judge(&name, &mut Bytes(content), "pdf,doc,docx,odt,rtf,txt,jpg,png");
    let clean = &judged.name;
    assert!(!clean.is_empty() && clean.len() <= 100, "{clean:?}");
    assert!(!clean.contains(['/', '\\', '<', '>', ':', '"', '|', '?', '*']), "{clean:?}");
    assert!(!clean.chars().any(is_hidden), "{clean:?}");
    assert!(!clean.starts_with('.') && !clean.ends_with(['.', ' ']), "{clean:?}");
    assert_eq!(&files::clean_name(clean), clean, "cleaned twice is cleaned once");
    if judged.refused.is_some() {
        return false;
    }
    let extension = clean.rsplit_once('.').map_or("", |(_, end)| end).to_lowercase();
    assert!(ALLOWED.contains(&extension.as_str()), "{clean:?}");
    let begins = |magic: &[u8]| content.starts_with(magic);
    assert!(
        match extension.as_str() {
            "pdf" => content[..content.len().min(1024)].windows(5).any(|part| part == b"%PDF-"),
            "doc" => begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            "rtf" => begins(b"{\\rtf"),
            "txt" => !content.contains(&0),
            "jpg" | "jpeg" => begins(b"\xff\xd8\xff"),
            "png" => begins(b"\x89PNG\r\n\x1a\n"),
            _ => is_sound_archive(content, extension == "docx"),
        },
        "taken: {clean:?}"
    );
    true
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || c == '\u{2028}'
        || c == '\u{2029}'
        || c == '\u{3164}'
        || c == '\u{feff}'
}

/// The archive as any unpacker sees it: from the record at its very end.
fn is_sound_archive(bytes: &[u8], word: bool) -> bool {
    let number = |at: usize, count: usize| -> usize {
        bytes.get(at..at + count).unwrap_or_default().iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte))
    };
    let ends = (0..bytes.len().saturating_sub(21))
        .filter(|at| bytes[*at..].starts_with(b"PK\x05\x06") && at + 22 + number(at + 20, 2) == bytes.len());
    // Whichever of several such records an unpacker believes, it sees the same directory.
    let mut some = false;
    for end in ends {
        some = true;
        let (count, mut at) = (number(end + 10, 2), number(end + 16, 4));
        let (mut total, mut found) = (0, false);
        for _ in 0..count {
            let length = number(at + 28, 2);
            let Some(name) = bytes.get(at + 46..at + 46 + length) else { return false };
            if !bytes[at..].starts_with(b"PK\x01\x02")
                || name.windows(3).any(|part| part == b"../" || part == b"..\\")
                || name.starts_with(b"/")
            {
                return false;
            }
            found |= if word { name.starts_with(b"word/") } else { name == b"content.xml" };
            total += number(at + 24, 4);
            at += 46 + length + number(at + 30, 2) + number(at + 32, 2);
        }
        if !found || count > 2_000 || total > 100 * 1024 * 1024 || total > bytes.len() * 100 || at != end {
            return false;
        }
    }
    some
}
