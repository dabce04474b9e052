//! Files that an upload add-on laid down before the form was sent. The form names them, and the form comes from
//! the visitor: a name is taken only when it is a plain, recent file inside a known folder.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::IngestError;
use crate::codes::Code;

/// A file that a form names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Upload {
    /// The form field.
    pub field: String,
    /// Where the plugin found it.
    pub path: String,
    /// Its name.
    pub name: String,
    /// The folders that it may lie in.
    pub dirs: Vec<String>,
    /// Bytes, as the plugin saw it.
    pub size: u64,
    /// Seconds since 1970 of its last change, as the plugin saw it.
    pub modified: i64,
    /// The device that it lies on, as the plugin saw it.
    pub device: u64,
    /// Its number there, as the plugin saw it; 0 when it saw none.
    pub inode: u64,
    /// Where its bytes are when the plugin kept them itself.
    pub kept: Option<Kept>,
}

impl Upload {
    /// By what the file is known again whose bytes the plugin kept.
    pub fn identity(&self) -> Option<Identity> {
        let Self { device, inode, size, modified, .. } = *self;
        (inode > 0).then_some(Identity { device, inode, size, modified })
    }
}

/// By what a file is known again under whatever name, so that it goes to one submission only. A new file may get the number
/// of one that was deleted, and was changed at another time: to the second, since PHP sees no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: i64,
}

impl Identity {
    /// Of an open file.
    ///
    /// # Errors
    /// `HT-1707` when nothing can be learned of it.
    pub fn of(file: &File) -> Result<Self, IngestError> {
        let about = file.metadata().map_err(|_| IngestError::plain(Code::FileUpload))?;
        Ok(Self { device: about.dev(), inode: about.ino(), size: about.len(), modified: about.mtime() })
    }
}

/// As text, to be hashed.
impl std::fmt::Display for Identity {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{} {} {} {}", self.device, self.inode, self.size, self.modified)
    }
}

/// Parts of a kept form that belong together, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The number of the first one.
    pub first: u32,
    /// SHA-256 of each, in hex.
    pub hashes: Vec<String>,
}

impl Kept {
    /// Each part's number and hash.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, &str)> {
        (self.first..).zip(self.hashes.iter().map(String::as_str))
    }
}

/// Older files were not uploaded for this submission.
const MOST_AGE_MS: i64 = 24 * 3_600_000;

/// Opens an uploaded file. Whether another submission has taken it is known when this one is stored.
///
/// # Errors
/// `HT-1707` for anything but a regular file, no link, inside a known folder, younger than a day.
pub fn open(upload: &Upload, now_ms: i64) -> Result<File, IngestError> {
    let refused = || IngestError::plain(Code::FileUpload);
    let path = Path::new(&upload.path);
    let about = std::fs::symlink_metadata(path).map_err(|_| refused())?;
    let real = path.canonicalize().map_err(|_| refused())?;
    let inside = upload
        .dirs
        .iter()
        .filter_map(|dir| Path::new(dir).canonicalize().ok())
        .any(|dir| real.parent().is_some_and(|folder| folder.starts_with(&dir)));
    if !about.is_file() || !inside {
        return Err(refused());
    }
    // Opened without following a link that took the file's place meanwhile (O_NOFOLLOW).
    let file = std::fs::OpenOptions::new().read(true).custom_flags(0o40_0000).open(&real).map_err(|_| refused())?;
    let modified = file.metadata().and_then(|about| about.modified()).map_err(|_| refused())?;
    let modified = modified
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    if now_ms - modified > MOST_AGE_MS {
        return Err(refused());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    #[test]
    fn only_a_plain_recent_file_inside_a_known_folder_is_taken() {
        let root = tempfile::tempdir().expect("a folder");
        let tmp = root.path().join("tmp");
        std::fs::create_dir(&tmp).expect("made");
        std::fs::write(tmp.join("cv.pdf"), "x").expect("written");
        std::fs::write(root.path().join("wp-config.php"), "x").expect("written");
        std::os::unix::fs::symlink(root.path().join("wp-config.php"), tmp.join("link.pdf")).expect("linked");
        let now = SystemClock.now().wall;
        let of = |path: std::path::PathBuf, now| {
            let upload =
                Upload { path: path.display().to_string(), dirs: vec![tmp.display().to_string()], ..Upload::default() };
            open(&upload, now).is_ok()
        };
        assert!(of(tmp.join("cv.pdf"), now));
        assert!(!of(tmp.join("link.pdf"), now), "a link");
        assert!(!of(tmp.join("../wp-config.php"), now), "outside");
        assert!(!of(tmp.clone(), now), "a folder");
        assert!(!of(tmp.join("cv.pdf"), now + MOST_AGE_MS + 60_000), "too old");
    }
}
