//! Whether a file is what its name says, and whether its name may be used. It judges; nothing is thrown away
//! here: a refused file is kept and shown.

use std::io;

use unicode_normalization::UnicodeNormalization;

use super::archive::zip;
use crate::codes::Code;
use crate::vault::file::SealedReader;

/// Files of a submission.
pub const MOST_FILES: usize = 5;
/// Bytes of a file.
pub const MOST_BYTES: u64 = 10 * 1024 * 1024;
/// Bytes of all files of a submission.
pub const MOST_TOTAL: u64 = 25 * 1024 * 1024;
const MOST_NAME: usize = 100;

/// The kinds that can be allowed: extension, media type, how the content is recognised.
const KINDS: &[(&str, &str, Looks)] = &[
    ("pdf", "application/pdf", Looks::Within(b"%PDF-")),
    ("doc", "application/msword", Looks::Begins(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", Looks::Zip("word/")),
    ("odt", "application/vnd.oasis.opendocument.text", Looks::Zip("content.xml")),
    ("rtf", "application/rtf", Looks::Begins(b"{\\rtf")),
    ("txt", "text/plain", Looks::Text),
    ("jpg", "image/jpeg", Looks::Begins(&[0xff, 0xd8, 0xff])),
    ("jpeg", "image/jpeg", Looks::Begins(&[0xff, 0xd8, 0xff])),
    ("png", "image/png", Looks::Begins(&[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'])),
];

#[derive(Clone, Copy)]
enum Looks {
    Begins(&'static [u8]),
    /// Somewhere in the first KiB: some programs write before it.
    Within(&'static [u8]),
    /// A ZIP archive with an entry of this name or folder.
    Zip(&'static str),
    /// No control characters.
    Text,
}

/// The extensions of all kinds that can be allowed.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(extension, _, _)| *extension)
}

/// The extensions that the setting lists.
pub fn listed(allowed: &str) -> impl Iterator<Item = String> + '_ {
    let one = |text: &str| text.trim().trim_start_matches('.').to_lowercase();
    allowed.split(',').map(one).filter(|one| !one.is_empty())
}

/// A file's bytes, readable anywhere.
pub trait Content {
    /// How many.
    fn size(&self) -> u64;
    /// Reads at a place; fewer bytes only at the end.
    ///
    /// # Errors
    /// The reader's.
    fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<usize>;
}

impl Content for SealedReader {
    fn size(&self) -> u64 {
        self.size()
    }

    fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<usize> {
        self.read_at(at, out)
    }
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// A name that is safe to show and to send.
    pub name: String,
    /// The media type of its extension.
    pub mime: String,
    /// Why it is not sent.
    pub refused: Option<Code>,
}

/// Judges a file by name and content. `allowed` is the setting: extensions, separated by commas.
pub fn judge(name: &str, content: &mut dyn Content, allowed: &str) -> Judged {
    let clean = clean_name(name);
    let extension = extension_of(&clean).to_lowercase();
    let kind = KINDS.iter().find(|(known, _, _)| *known == extension);
    // Two spellings of one kind.
    let spelled = |extension: &str| if extension == "jpeg" { "jpg".to_owned() } else { extension.to_owned() };
    let is_allowed = listed(allowed).any(|one| spelled(&one) == spelled(&extension));
    let mime = kind.map_or("application/octet-stream", |(_, mime, _)| mime).to_owned();
    let refused = match kind {
        _ if !usable(&clean, name) => Some(Code::FileName),
        Some((_, _, looks)) if is_allowed => {
            if content.size() > MOST_BYTES {
                Some(Code::FileTooLarge)
            } else {
                agrees(*looks, content).err()
            }
        }
        _ => Some(Code::FileType),
    };
    Judged { name: clean, mime, refused }
}

/// The base name: NFC, no control, direction or invisible characters, no reserved name, at most 100 bytes.
pub fn clean_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = |letter: &char| {
        !letter.is_control() && !is_invisible(*letter) && !matches!(letter, '<' | '>' | ':' | '"' | '|' | '?' | '*')
    };
    // What is left out first cannot stand between two letters that belong together.
    let text: String = base.chars().filter(visible).nfc().collect();
    let text = text.trim_matches(|letter: char| letter == '.' || letter.is_whitespace());
    let (stem, extension) = (stem_of(text), extension_of(text));
    // An accent that stood apart joins its letter when the space between them goes.
    let extension: String = extension.chars().filter(|letter| !letter.is_whitespace()).nfc().take(10).collect();
    let room = MOST_NAME - extension.len() - 1;
    let stem = cut(stem, room);
    // Windows reserves a name whatever follows its first dot.
    let stem = if stem.is_empty() || is_reserved(stem.split('.').next().unwrap_or_default()) {
        cut(&format!("file{stem}"), room).to_owned()
    } else {
        stem.to_owned()
    };
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

/// The beginning of a name, at most so many bytes; neither dots nor spaces end it.
fn cut(stem: &str, room: usize) -> &str {
    let end = (0..=room.min(stem.len())).rev().find(|at| stem.is_char_boundary(*at)).unwrap_or(0);
    stem.get(..end).unwrap_or_default().trim_end_matches(|letter: char| letter == '.' || letter.is_whitespace())
}

/// Directional marks, line ends and characters of no width or no ink: a name must read as it is.
const fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2028}' | '\u{2029}' |
        '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' | '\u{ad}' | '\u{fff9}'..='\u{fffb}')
}

fn is_reserved(stem: &str) -> bool {
    let upper = stem.to_uppercase();
    let numbered = |prefix: &str| {
        upper
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 1 && rest.as_bytes().first().is_some_and(u8::is_ascii_digit))
    };
    matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

pub(super) fn extension_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn stem_of(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// One extension that means something: `cv.pdf.docx` and `cv.php.pdf` do not say what they are.
fn usable(clean: &str, given: &str) -> bool {
    let inner = extension_of(stem_of(clean)).to_lowercase();
    let active = [
        "php", "phtml", "phar", "js", "html", "htm", "svg", "exe", "bat", "cmd", "com", "scr", "sh", "ps1", "vbs",
        "jar", "msi",
    ];
    !given.trim().is_empty() && !active.contains(&inner.as_str()) && !KINDS.iter().any(|(known, _, _)| *known == inner)
}

fn agrees(looks: Looks, content: &mut dyn Content) -> Result<(), Code> {
    let mut head = [0; 1024];
    let count = content.read_at(0, &mut head).map_err(|_| Code::FileContent)?;
    let head = head.get(..count).unwrap_or_default();
    let fits = match looks {
        Looks::Begins(magic) => head.starts_with(magic),
        Looks::Within(magic) => head.windows(magic.len()).any(|part| part == magic),
        Looks::Text => return is_text(content),
        Looks::Zip(entry) => return zip(content, entry),
    };
    if fits { Ok(()) } else { Err(Code::FileContent) }
}

fn is_text(content: &mut dyn Content) -> Result<(), Code> {
    let mut at = 0;
    let mut piece = vec![0; 64 * 1024];
    while at < content.size() {
        let count = content.read_at(at, &mut piece).map_err(|_| Code::FileContent)?;
        let part = piece.get(..count).unwrap_or_default();
        if count == 0 || part.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)) {
            return Err(Code::FileContent);
        }
        at += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &str = "pdf,doc,docx,odt,rtf,txt,jpg,png";

    impl Content for &[u8] {
        fn size(&self) -> u64 {
            self.len() as u64
        }
        fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<usize> {
            let from = self.get(at as usize..).unwrap_or_default();
            let count = from.len().min(out.len());
            out[..count].copy_from_slice(&from[..count]);
            Ok(count)
        }
    }

    fn refused(name: &str, mut content: &[u8]) -> Option<Code> {
        judge(name, &mut content, ALLOWED).refused
    }

    /// A ZIP archive of empty entries with the sizes that its directory claims.
    fn zip_of(entries: &[(&str, u32)]) -> Vec<u8> {
        let mut directory = Vec::new();
        for (name, unpacked) in entries {
            directory.extend_from_slice(b"PK\x01\x02");
            directory.extend_from_slice(&[0; 20]);
            directory.extend_from_slice(&unpacked.to_le_bytes());
            directory.extend_from_slice(&(name.len() as u16).to_le_bytes());
            directory.extend_from_slice(&[0; 16]);
            directory.extend_from_slice(name.as_bytes());
        }
        let mut all = vec![0; 100];
        let begin = all.len() as u32;
        all.extend_from_slice(&directory);
        all.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        all.extend_from_slice(&(entries.len() as u16).to_le_bytes());
        all.extend_from_slice(&(entries.len() as u16).to_le_bytes());
        all.extend_from_slice(&(directory.len() as u32).to_le_bytes());
        all.extend_from_slice(&begin.to_le_bytes());
        all.extend_from_slice(&[0, 0]);
        all
    }

    #[test]
    fn each_kind_is_recognised_by_its_content() {
        assert_eq!(refused("cv.pdf", b"%PDF-1.7"), None);
        assert_eq!(refused("cv.PDF", b"\n\n%PDF-1.7"), None);
        assert_eq!(refused("cv.doc", &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), None);
        assert_eq!(refused("cv.docx", &zip_of(&[("[Content_Types].xml", 10), ("word/document.xml", 1000)])), None);
        assert_eq!(refused("cv.odt", &zip_of(&[("mimetype", 10), ("content.xml", 1000)])), None);
        assert_eq!(refused("cv.rtf", b"{\\rtf1"), None);
        assert_eq!(refused("cv.txt", "Größe\r\n".as_bytes()), None);
        assert_eq!(refused("cv.jpeg", &[0xff, 0xd8, 0xff, 0xe0]), None);
        for name in ["cv.pdf", "cv.doc", "cv.docx", "cv.odt", "cv.rtf", "cv.txt", "cv.jpg", "cv.png"] {
            assert_eq!(refused(name, b"MZ\0\0 a program"), Some(Code::FileContent), "{name}");
        }
        assert_eq!(refused("cv.exe", b"MZ"), Some(Code::FileType));
        assert_eq!(refused("cv", b"x"), Some(Code::FileType));
    }

    #[test]
    fn two_spellings_of_one_kind_are_allowed_together() {
        for (name, allowed) in [("cv.jpg", "jpeg"), ("cv.jpeg", "jpg"), ("cv.JPG", ".JPEG"), ("cv.jpg", "jpg")] {
            assert_eq!(judge(name, &mut &[0xff, 0xd8, 0xff][..], allowed).refused, None, "{name}, {allowed}");
        }
        assert_eq!(judge("cv.jpg", &mut &[0xff, 0xd8, 0xff][..], "png").refused, Some(Code::FileType));
    }

    #[test]
    fn a_dangerous_archive_is_refused() {
        let big = u32::MAX / 2;
        for entries in [
            &[("word/document.xml", big)][..],
            &[("word/../../evil", 1)],
            &[("/etc/passwd", 1), ("word/a", 1)],
            &[("word/inner.zip", 1)],
            &[("word/vbaProject.bin", 1)],
            &[("word/document.xml", 60_000)],
        ] {
            assert_eq!(refused("cv.docx", &zip_of(entries)), Some(Code::FileArchive), "{entries:?}");
        }
        assert_eq!(refused("cv.docx", &zip_of(&[("xl/workbook.xml", 1)])), Some(Code::FileContent));
        assert_eq!(refused("cv.docx", &zip_of(&vec![("word/a", 1); 2_001])), Some(Code::FileArchive));
    }

    #[test]
    fn an_archive_that_can_be_read_in_two_ways_is_refused() {
        let harmless = zip_of(&[("word/document.xml", 10)]);
        let change = |at: usize, bytes: &[u8]| {
            let mut all = harmless.clone();
            let end = all.len() - 22;
            all[end + at..end + at + bytes.len()].copy_from_slice(bytes);
            refused("cv.docx", &all)
        };
        assert_eq!(change(10, &[1]), None);
        assert_eq!(change(8, &[2]), Some(Code::FileArchive), "another count on this disk");
        assert_eq!(change(4, &[1]), Some(Code::FileArchive), "another disk");
        assert_eq!(change(12, &[1]), Some(Code::FileArchive), "a directory that ends elsewhere");
        assert_eq!(change(20, &[9]), Some(Code::FileContent), "a comment that is not there");
        // A comment that is an archive itself: which of the two it is depends on who unpacks it.
        let mut evil = zip_of(&[("word/../../evil", 1)]);
        let end = evil.len() - 2;
        evil[end..].copy_from_slice(&(harmless.len() as u16).to_le_bytes());
        evil.extend_from_slice(&harmless);
        assert_eq!(refused("cv.docx", &evil), Some(Code::FileArchive));
    }

    #[test]
    fn names_are_cleaned_and_ambiguous_ones_refused() {
        for (given, clean) in [
            ("../../etc/cv.pdf", "cv.pdf"),
            ("C:\\Users\\a\\cv.pdf", "cv.pdf"),
            ("cv\u{202e}fdp.exe", "cvfdp.exe"),
            ("a\u{200b}b\n.pdf", "ab.pdf"),
            ("CON.pdf", "fileCON.pdf"),
            ("  ..  ", "file"),
            ("e\u{301}.pdf", "é.pdf"),
            ("e\u{200b}\u{301}.pdf", "é.pdf"),
            ("con.tar.pdf", "filecon.tar.pdf"),
            ("cv\u{2028}\u{3164}\u{e0041}\u{fe0f}.pdf", "cv.pdf"),
        ] {
            assert_eq!(clean_name(given), clean, "{given:?}");
        }
        assert!(clean_name(&format!("{}.pdf", "é".repeat(200))).len() <= 100);
        // Cut to its length, a name still ends as names do, and is not a reserved one.
        assert_eq!(clean_name(&format!("cv{}x", " ".repeat(120))), "cv");
        assert_eq!(clean_name(&format!("CON{}x.pdf", " ".repeat(120))), "fileCON.pdf");
        assert_eq!(clean_name("cv.S \u{301}p"), "cv.\u{15a}p", "what the space held apart is one letter now");
        assert_eq!(clean_name("cv .p d f"), "cv.pdf");
        assert_eq!(
            refused("cv.pdf..docx", &zip_of(&[("word/a", 1)])),
            Some(Code::FileName),
            "two kinds with a dot between"
        );
        assert_eq!(refused("cv.pdf.docx", b""), Some(Code::FileName));
        assert_eq!(refused("cv.php.pdf", b"%PDF-"), Some(Code::FileName));
        assert_eq!(refused("", b""), Some(Code::FileName));
        assert_eq!(refused("j.doe.pdf", b"%PDF-"), None);
    }
}
