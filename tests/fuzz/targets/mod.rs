//! Everything that reads what others wrote, one target a file. A target reads any bytes, panics when what it read breaks a
//! promise, and says whether the bytes were taken. libFuzzer drives them in `../fuzz_targets`, `../replay.rs` without it.

pub mod answers;
pub mod files;
pub mod json;
pub mod mapping;
pub mod receiver;
pub mod stored;

/// Reads an input and says whether it was taken.
pub type Target = fn(&[u8]) -> bool;

/// The targets by their names.
pub const ALL: &[(&str, Target)] = &[
    ("receiver", receiver::read),
    ("json", json::read),
    ("mapping", mapping::read),
    ("files", files::read),
    ("answers", answers::read),
    ("stored", stored::read),
];

/// The next line of an input and what follows it.
pub fn line(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), rest)
}
