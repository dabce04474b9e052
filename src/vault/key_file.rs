//! Key files: their format, their names beside each other, and writing one so that it is there whole or not at all.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{VaultError, random};
use crate::queue::open::hex;

/// The first line of a key file: below a web root it answers nothing.
const GUARD: &str = "<?php exit; ?>";
/// The second line of a key file.
#[derive(Serialize, Deserialize)]
pub struct Written {
    /// Format.
    pub v: u8,
    /// Sixteen hex digits.
    pub id: String,
    /// Seals values.
    pub seal: String,
    /// Makes keyed hashes.
    pub hash: String,
    /// Opens sealed boxes.
    pub box_secret: String,
    /// Makes them.
    pub box_public: String,
    /// Milliseconds since 1970.
    pub made_at: i64,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.seal.zeroize();
        self.hash.zeroize();
        self.box_secret.zeroize();
    }
}

/// A new key, made after the newest one of the ring also where the clock went back.
pub fn fresh(newest: Option<i64>) -> Result<Written, VaultError> {
    use crate::clock::{Clock, SystemClock};
    let mut id = [0; 8];
    random(&mut id)?;
    let secret_bytes = || -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let mut raw = Zeroizing::new([0; 32]);
        random(raw.as_mut_slice())?;
        Ok(raw)
    };
    let box_secret = secret_bytes()?;
    let public = *crypto_box::SecretKey::from(*box_secret).public_key().as_bytes();
    let now = SystemClock.now().wall;
    Ok(Written {
        v: 1,
        id: hex(&id),
        seal: BASE64.encode(secret_bytes()?.as_slice()),
        hash: BASE64.encode(secret_bytes()?.as_slice()),
        box_secret: BASE64.encode(box_secret.as_slice()),
        box_public: BASE64.encode(public),
        made_at: newest.map_or(now, |newest| now.max(newest + 1)),
    })
}

/// The path of a later key: `key.php` becomes `key.<id>.php`.
pub fn later(path: &Path, id: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    path.with_file_name(format!("{stem}.{id}.php"))
}

/// The first file if it is there, then every later one.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let mut files = Vec::new();
    match std::fs::symlink_metadata(path) {
        Ok(_) => files.push(path.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(VaultError::io(error, path)),
    }
    let Some(folder) = path.parent() else { return Ok(files) };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(VaultError::io(error, folder)),
    };
    for entry in listed {
        let entry = entry.map_err(|error| VaultError::io(error, folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let id = name.strip_prefix(&format!("{stem}.")).and_then(|rest| rest.strip_suffix(".php"));
        if id.and_then(unhex).is_some() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Writes a key under its final name in one go: a temporary file, synced, linked to a name that must be free.
pub fn write(path: &Path, key: &Written) -> Result<(), VaultError> {
    let json = Zeroizing::new(serde_json::to_string(key).map_err(|error| VaultError::KeyFile(error.to_string()))?);
    let text = Zeroizing::new(format!("{GUARD}\n{}\n", *json));
    let draft = path.with_file_name(format!(".{}.new", key.id));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(|error| VaultError::io(error, &draft))?;
    let result =
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| std::fs::hard_link(&draft, path));
    let _ = std::fs::remove_file(&draft);
    result.map_err(|error| VaultError::io(error, path))?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| VaultError::io(error, folder))?;
    }
    Ok(())
}

/// Reads a key file.
pub fn read(path: &Path) -> Result<Written, VaultError> {
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| {
        if error.kind() == io::ErrorKind::InvalidData {
            VaultError::KeyFile("not text".into())
        } else {
            VaultError::KeyFile(error.to_string())
        }
    })?);
    let json = text.lines().nth(1).ok_or_else(|| VaultError::KeyFile("no second line".into()))?;
    serde_json::from_str(json).map_err(|error| VaultError::KeyFile(format!("line 2, column {}", error.column())))
}

/// Eight bytes from sixteen lower-case hex digits.
pub fn unhex(text: &str) -> Option<[u8; 8]> {
    if text.len() != 16 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    u64::from_str_radix(text, 16).ok().map(u64::to_be_bytes)
}
