//! The files of a store on disk: their names, their inodes, the settings that make a commit durable, and moving the WAL.
//! It repairs nothing that somebody else has changed; it saves what is still in hand, and says so.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::lock::{PATIENCE, WriteLock, inode_of};
use super::open::{DATABASE, FOLDER_MARK};
use super::{QueueError, Store};
use crate::codes::Code;
use crate::vault::place;

/// Where a store on disk lies, and the inodes that it had when it was opened.
#[derive(Debug)]
pub(super) struct Files {
    pub dir: PathBuf,
    pub key_file: PathBuf,
    /// When the folder of the keys last changed, as the ring in memory knows it.
    pub keys_at: Option<SystemTime>,
    database: u64,
    wal: u64,
}

impl Files {
    /// As they are at this moment.
    pub fn now(dir: &Path, key_file: &Path) -> Self {
        let database = dir.join(DATABASE);
        Self {
            dir: dir.to_owned(),
            key_file: key_file.to_owned(),
            keys_at: changed_at(key_file),
            database: inode_at(&database),
            wal: inode_at(&wal_of(&database)),
        }
    }

    /// Whether the files at the paths are still the ones that were opened.
    pub fn is_sound(&self) -> bool {
        let database = self.dir.join(DATABASE);
        inode_at(&database) == self.database && inode_at(&wal_of(&database)) == self.wal
    }

    /// Whether the WAL was deleted and nobody has made another one since: then what this process has open is the only
    /// place where the last commits are.
    fn holds_the_only_wal(&self) -> bool {
        let database = self.dir.join(DATABASE);
        inode_at(&database) == self.database && inode_at(&wal_of(&database)) == 0
    }
}

impl Store {
    /// Moves the WAL into the database; only the runner calls it, under the write lock.
    ///
    /// # Errors
    /// `HT-1104` when the lock was not had, `HT-1113` when a file of the store was replaced.
    pub fn checkpoint(&mut self) -> Result<(), QueueError> {
        let Some(files) = &self.files else { return Ok(()) };
        let _lock = WriteLock::take(&files.dir.join("write.lock"), PATIENCE)?;
        if !files.is_sound() {
            self.save_deleted_wal();
            return Err(QueueError::plain(Code::StoreMoved, "the database or its WAL has another inode"));
        }
        self.move_wal()
    }

    /// The same under a lock that is held already.
    pub(super) fn move_wal(&self) -> Result<(), QueueError> {
        self.conn.busy_timeout(PATIENCE)?;
        // SQLite waits for readers as long as its busy time-out says, and then tells in the first column.
        let busy: i64 = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 { Ok(()) } else { Err(QueueError::plain(Code::StoreBusy, "a reader holds the WAL")) }
    }

    /// Before a handle is given up: what only its deleted WAL holds goes into the database.
    pub fn give_up(&self) {
        let Some(files) = &self.files else { return };
        if files.holds_the_only_wal()
            && let Ok(_lock) = WriteLock::take(&files.dir.join("write.lock"), PATIENCE)
        {
            self.save_deleted_wal();
        }
    }

    /// The same under a lock that is held already. A WAL that somebody made since then is another store's past: beside
    /// it nothing is moved.
    pub(super) fn save_deleted_wal(&self) {
        if self.files.as_ref().is_some_and(Files::holds_the_only_wal) {
            let _ = self.move_wal();
        }
    }
}

/// Whether the database is there without its WAL, which stays between processes: somebody deleted it, or put back the
/// database alone. While another process still has the deleted one open, nothing may be written beside it.
pub(super) fn wal_is_missing(database: &Path) -> Result<bool, QueueError> {
    let wal = wal_of(database);
    if wal.try_exists().map_err(|error| QueueError::io(error, "the WAL"))? {
        return Ok(false);
    }
    let mut index = database.as_os_str().to_owned();
    index.push("-shm");
    if is_locked(database, 0x4000_0002, 510) || is_locked(Path::new(&index), 128, 1) {
        return Err(QueueError::plain(Code::StoreMoved, "the WAL was deleted while another process has it open"));
    }
    Ok(true)
}

/// Whether another process has a lock on these bytes. SQLite holds the ones named above, shared, as long as a database in
/// WAL mode is open (its file-locking protocol, part of the file format). Asked only before this process opens it: closing
/// the file afterwards would free the locks of a connection of our own.
fn is_locked(path: &Path, start: u64, length: u64) -> bool {
    use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return false };
    let wanted = Flock { start, length, pid: None, typ: FlockType::WriteLock, offset_type: FlockOffsetType::Set };
    fcntl_getlk(&file, &wanted).is_ok_and(|held| held.is_some())
}

/// Makes what a store's folder needs beside the database, where it is missing: the folder of sealed files, and the mark
/// that says whose it is. Uninstalling without the engine removes a folder only where both lines of the mark fit.
pub(super) fn furnish(dir: &Path, mark: &str) -> Result<(), QueueError> {
    let files = dir.join("files");
    let io = |error| QueueError::io(error, dir.display().to_string());
    let is_new = !files.is_dir();
    if is_new {
        DirBuilder::new().mode(0o700).create(&files).map_err(io)?;
    }
    let path = dir.join(FOLDER_MARK);
    let is_marked = std::fs::read(&path).is_ok_and(|text| text == mark.as_bytes());
    if !is_marked {
        let draft = dir.join(format!(".{FOLDER_MARK}"));
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(mark.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&draft, &path)).map_err(io)?;
    }
    if is_new || !is_marked { place::sync_folder(dir) } else { Ok(()) }
}

/// Sets what makes a commit durable, and reads it back.
pub(super) fn configure(conn: &Connection, patience: Duration) -> Result<(), QueueError> {
    conn.busy_timeout(patience)?;
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
pub(super) fn changed_at(key_file: &Path) -> Option<SystemTime> {
    std::fs::metadata(key_file.parent()?).and_then(|about| about.modified()).ok()
}

/// Makes the database file with nobody else able to read it.
pub(super) fn make_private(path: &Path) -> Result<(), QueueError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| QueueError::io(error, path.display().to_string()))
}

/// The path of a database's WAL.
fn wal_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The inode at a path, 0 where there is none.
fn inode_at(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| inode_of(&about))
}
