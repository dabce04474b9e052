//! The files of a store on disk: their names, their inodes, and the settings that make a commit durable.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::QueueError;
use super::lock::{PATIENCE, inode_of};
use crate::codes::Code;

/// Sets what makes a commit durable, and reads it back.
pub(super) fn configure(conn: &Connection) -> Result<(), QueueError> {
    conn.busy_timeout(PATIENCE)?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    let level: i64 = conn.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") || level != 2 {
        return Err(QueueError::plain(Code::StoreNetworkDisk, format!("journal {mode}, synchronous {level}")));
    }
    // The WAL stays when the last connection closes, so that its inode is a constant of the store, and only
    // the runner moves it into the database.
    conn.file_control(Some("main"), rusqlite::FileControl::PersistWal(&mut 1))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let _: i64 = conn.pragma_update_and_check(None, "wal_autocheckpoint", 0, |row| row.get(0))?;
    Ok(())
}

/// When the folder of the keys last changed.
pub(super) fn changed_at(key_file: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(key_file.parent()?).and_then(|about| about.modified()).ok()
}

/// Makes the database file with nobody else able to read it.
pub(super) fn make_private(path: &Path) -> Result<(), QueueError> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| QueueError::io(error, path.display().to_string()))
}

/// The path of a database's WAL.
pub(super) fn wal_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The inode at a path, 0 where there is none.
pub(super) fn inode_at(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| inode_of(&about))
}
