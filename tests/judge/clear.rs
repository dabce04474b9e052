//! What lies in the clear (invariant 8): nothing of a person may be readable in any file.

use std::path::{Path, PathBuf};

/// 8. What must not be in the clear, and is in one of these bytes.
pub fn canary_in<'a>(bytes: &[u8], canaries: &[&'a str]) -> Option<&'a str> {
    let text = String::from_utf8_lossy(bytes);
    canaries.iter().copied().find(|canary| text.contains(canary))
}

/// 8. The same of every file below a folder.
pub fn in_the_clear(folder: &Path, canaries: &[&str]) -> Result<(), String> {
    for path in files_below(folder) {
        if let Some(canary) = canary_in(&std::fs::read(&path).unwrap_or_default(), canaries) {
            return Err(format!("{canary} is in the clear in {}", path.display()));
        }
    }
    Ok(())
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { all.extend(files_below(&path)) } else { all.push(path) }
    }
    all
}
