//! Large pieces of a kept form on their way into the store: the plugin hands them over one by one, each is laid down
//! sealed under the number it has, and only the form itself, which comes last, says which of them belong together.
//! Nothing here is a submission yet: what stays behind after a crash is laid down again, or swept after a day.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use hmac::digest::Digest;
use zeroize::Zeroizing;

use crate::codes::Code;
use crate::ingest::IngestError;
use crate::queue::Store;
use crate::queue::open::hex;
use crate::vault::{Aad, VaultError};

/// More than any form that the plugin keeps: 5 files and its own text.
pub const MOST_PARTS: u32 = 4_096;

/// Lays a part down. A part that lay there under the same number is replaced.
///
/// # Errors
/// An I/O code, `HT-1305`.
pub fn lay_down(store: &Store, id: &str, number: u32, plain: &[u8]) -> Result<(), IngestError> {
    let (place, draft) = places(store, id, number)?;
    let column = column(number);
    let sealed = store.ring().seal(&Aad { row: id, column: &column }, plain).map_err(IngestError::vault)?;
    // Not synced: the plugin's rows go only after the form itself was committed with files of its own.
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(&sealed))
        .and_then(|()| std::fs::rename(&draft, &place));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&draft);
        IngestError::vault(VaultError::Io(error, place.display().to_string()))
    })
}

/// Takes a part up again. `hash` is what the form says of it.
///
/// # Errors
/// `HT-1802` when it is not there or not what the form means.
pub fn take_up(store: &Store, id: &str, number: u32, hash: &str) -> Result<Zeroizing<Vec<u8>>, IngestError> {
    let missing = || IngestError::plain(Code::CaptureParts);
    let (place, _) = places(store, id, number)?;
    let sealed = std::fs::read(place).map_err(|_| missing())?;
    let column = column(number);
    let plain = store.ring().unseal(&Aad { row: id, column: &column }, &sealed).map_err(|_| missing())?;
    if hash_of(&plain) == hash { Ok(plain) } else { Err(missing()) }
}

/// Removes the parts of a form that is settled, one way or the other.
pub fn clear(store: &Store, id: &str) {
    let Some(listed) = store.files_dir().and_then(|folder| std::fs::read_dir(folder).ok()) else { return };
    let prefix = prefix(id);
    for entry in listed.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)) {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// SHA-256 in hex, as the plugin writes it.
pub fn hash_of(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

fn places(store: &Store, id: &str, number: u32) -> Result<(PathBuf, PathBuf), IngestError> {
    let folder = store.files_dir().ok_or_else(|| IngestError::plain(Code::StoreNone))?;
    let name = format!("{}{number}", prefix(id));
    Ok((folder.join(&name), folder.join(format!("{name}.new"))))
}

fn prefix(id: &str) -> String {
    format!("part-{id}-")
}

fn column(number: u32) -> String {
    format!("part {number}")
}
