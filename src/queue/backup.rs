//! A consistent copy of a store, and putting one back. Keys are not in it: they are backed up apart, or the copy would
//! be readable by whoever finds it.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::erasure::ASIDE;
use super::lock::{Holder, PATIENCE, RunLock, WriteLock};
use super::open::{DATABASE, FOLDER_MARK, Tx};
use super::state::Pause;
use super::{QueueError, Store};
use crate::clock::Moment;
use crate::codes::Code;
use crate::vault::place;

impl Store {
    /// Copies the store into a new folder, while nobody writes. Returns how many sealed files went along.
    ///
    /// # Errors
    /// `HT-1903` for a path that is not absolute or is there already; the store's.
    pub fn back_up(&mut self, to: &Path) -> Result<usize, QueueError> {
        let from = self.own_dir()?;
        if !to.is_absolute() || to.exists() {
            return Err(QueueError::plain(Code::ActName, "the folder of a backup is named in full and is new"));
        }
        DirBuilder::new().mode(0o700).recursive(true).create(to.join("files")).map_err(|error| io(error, to))?;
        let lock = WriteLock::take(&from.join("write.lock"), PATIENCE)?;
        self.move_wal()?;
        copy(&from.join(DATABASE), &to.join(DATABASE))?;
        // Sealed files never change: nobody has to wait for them.
        drop(lock);
        copy(&from.join(FOLDER_MARK), &to.join(FOLDER_MARK))?;
        let count = copy_files(&from, to)?;
        place::sync_folder(to)?;
        Ok(count)
    }

    /// Puts a backup in the place of this store and keeps what was there beside it. Sending pauses until a person
    /// confirms, because what the backup calls unsent may have been sent. The handle is of no use afterwards.
    ///
    /// # Errors
    /// `HT-1607` while a run is in progress, `HT-1105` for another site's backup, `HT-1108` for a damaged one; the store's.
    pub fn put_back(&mut self, backup: &Path, now: &Moment) -> Result<PathBuf, QueueError> {
        let dir = self.own_dir()?;
        // The address may have changed since, the installation may not.
        let mark = |folder: &Path| -> Result<String, QueueError> {
            let text = std::fs::read_to_string(folder.join(FOLDER_MARK)).map_err(|error| io(error, folder))?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        };
        if mark(backup)? != mark(&dir)? {
            return Err(QueueError::plain(Code::StoreForeign, "the backup is of another site"));
        }
        check(&backup.join(DATABASE))?;
        let holder =
            Holder { pid: std::process::id(), since: now.wall, caller: "restore".into(), run_id: String::new() };
        let Some(_run) = RunLock::try_take(&dir.join("run.lock"), &holder)? else {
            return Err(QueueError::plain(Code::RelayBusy, ""));
        };
        // The copy is whole, paused and without who was erased since, before anything is moved. Then one rename puts it
        // in place: at no moment is there no database, whatever ends this process.
        let draft = dir.join(format!("{DATABASE}.restoring"));
        copy(&backup.join(DATABASE), &draft)?;
        let gone = self.prepare_restored(&draft, now)?;
        copy_files(backup, &dir)?;
        self.unlink(&gone);
        let _lock = WriteLock::take(&dir.join("write.lock"), PATIENCE)?;
        self.move_wal()?;
        let aside = dir.join(format!("{DATABASE}{ASIDE}{}", now.wall));
        std::fs::hard_link(dir.join(DATABASE), &aside).map_err(|error| io(error, &aside))?;
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(dir.join(format!("{DATABASE}{end}")));
        }
        std::fs::rename(&draft, dir.join(DATABASE)).map_err(|error| io(error, &draft))?;
        place::sync_folder(&dir)?;
        Ok(aside)
    }

    /// Pauses a restored database, marks what it calls unsent, and erases again who was erased after it was made: the
    /// stored names of their files, which come back with the others.
    fn prepare_restored(&self, draft: &Path, now: &Moment) -> Result<Vec<String>, QueueError> {
        let conn = rusqlite::Connection::open(draft)?;
        conn.pragma_update(None, "secure_delete", true)?;
        let gone = self.erase_within(&conn, &self.read().erased()?)?;
        let transaction = conn.unchecked_transaction()?;
        let tx = Tx { sql: &transaction, ring: &self.ring };
        tx.verify_unfinished()?;
        tx.pause_at(Pause::Restored, Code::StoreRestored, "wp halt-tracker restore", now.wall, 0)?;
        transaction.commit()?;
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        conn.close().map_err(|(_, error)| error)?;
        File::open(draft).and_then(|file| file.sync_all()).map_err(|error| io(error, draft))?;
        Ok(gone)
    }

    fn own_dir(&self) -> Result<PathBuf, QueueError> {
        self.dir().map(Path::to_owned).ok_or_else(|| QueueError::plain(Code::StoreNone, ""))
    }
}

/// Whether a file is a sound database.
fn check(path: &Path) -> Result<(), QueueError> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = rusqlite::Connection::open_with_flags(path, flags)?;
    let said: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(QueueError::plain(Code::StoreDamaged, "the backup fails its own check")) }
}

fn copy_files(from: &Path, to: &Path) -> Result<usize, QueueError> {
    let folder = from.join("files");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).map_err(|error| io(error, &folder))?.flatten() {
        let target = to.join("files").join(entry.file_name());
        if target.exists() {
            continue;
        }
        match copy(&entry.path(), &target) {
            Ok(()) => count += 1,
            // Retention took it meanwhile.
            Err(QueueError::Io(error, _)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    place::sync_folder(&to.join("files"))?;
    Ok(count)
}

fn copy(from: &Path, to: &Path) -> Result<(), QueueError> {
    std::fs::copy(from, to).and_then(|_| File::open(to)).and_then(|file| file.sync_all()).map_err(|error| io(error, to))
}

fn io(error: std::io::Error, path: &Path) -> QueueError {
    QueueError::io(error, path.display().to_string())
}
