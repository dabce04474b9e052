//! A consistent copy of a store, and putting one back. Keys are not in it: they are backed up apart, or the copy would
//! be readable by whoever finds it.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::disk::furnish;
use super::erasure::{ASIDE, DAMAGED};
use super::lane::Doubt;
use super::lock::{Holder, PATIENCE, RunLock, WriteLock};
use super::open::{DATABASE, FOLDER_MARK, Tx};
use super::runs::RUN_LOCK;
use super::state::Pause;
use super::{QueueError, Site, Store};
use crate::clock::{Moment, SystemClock};
use crate::codes::Code;
use crate::vault::{Ring, place};

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
        is_of(backup, &installation(&dir)?)?;
        let _run = alone(&dir, now)?;
        // The copy is whole, paused and without who was erased since, before anything is moved. Then one rename puts it
        // in place: at no moment is there no database, whatever ends this process.
        let draft = draft_in(&dir);
        copy(&backup.join(DATABASE), &draft)?;
        let gone = self.prepare_restored(&draft, now)?;
        copy_files(backup, &dir)?;
        self.unlink(&gone);
        let _lock = WriteLock::take(&dir.join("write.lock"), PATIENCE)?;
        self.move_wal()?;
        let aside = dir.join(format!("{DATABASE}{ASIDE}{}", now.wall));
        std::fs::hard_link(dir.join(DATABASE), &aside).map_err(|error| io(error, &aside))?;
        replace(&dir, &draft)?;
        Ok(aside)
    }

    /// The same where the store cannot be opened any more, because its database is damaged or gone. What is left of it
    /// stays beside the backup's. Who was erased since then is erased when the site tells what it remembers, before the
    /// next run. Returns where the damaged database lies, if there is one.
    ///
    /// # Errors
    /// As [`Store::put_back`], and `HT-1301` when there is no key: a backup that nobody can read is put nowhere.
    pub fn put_back_unopened(
        dir: &Path,
        key_file: &Path,
        site: &Site,
        backup: &Path,
        now: &Moment,
    ) -> Result<Option<PathBuf>, QueueError> {
        is_of(backup, &site.install_id)?;
        let ring = Ring::open(key_file)?.ok_or_else(|| QueueError::plain(Code::KeyMissing, ""))?;
        place::prepare(dir)?;
        let _run = alone(dir, now)?;
        furnish(dir, &format!("{}\n{}\n", site.install_id, site.fingerprint()))?;
        let draft = draft_in(dir);
        copy(&backup.join(DATABASE), &draft)?;
        let conn = rusqlite::Connection::open(&draft)?;
        conn.pragma_update(None, "secure_delete", true)?;
        pause_restored(conn, &draft, &ring, now)?;
        copy_files(backup, dir)?;
        let _lock = WriteLock::take(&dir.join("write.lock"), PATIENCE)?;
        let mut aside = None;
        for end in ["", "-wal"] {
            let (from, to) =
                (dir.join(format!("{DATABASE}{end}")), dir.join(format!("{DATABASE}{end}{DAMAGED}{}", now.wall)));
            match std::fs::hard_link(&from, &to) {
                Ok(()) if end.is_empty() => aside = Some(to),
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error, &to)),
                _ => {}
            }
        }
        replace(dir, &draft)?;
        Ok(aside)
    }

    /// Pauses a restored database, marks what it calls unsent, and erases again who was erased after it was made: the
    /// stored names of their files, which come back with the others.
    fn prepare_restored(&self, draft: &Path, now: &Moment) -> Result<Vec<String>, QueueError> {
        let conn = rusqlite::Connection::open(draft)?;
        conn.pragma_update(None, "secure_delete", true)?;
        let gone = self.erase_within(&conn, &self.read().erased()?)?;
        pause_restored(conn, draft, &self.ring, now)?;
        Ok(gone)
    }

    /// Deletes what a restore that was cut off has left: a whole copy, which no erasure would reach. Only the holder of the run
    /// lock may call it, which a restore holds, too.
    pub(super) fn drop_draft(&self) {
        let Some(dir) = self.dir() else { return };
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(format!("{}{end}", draft_in(dir).display()));
        }
    }

    fn own_dir(&self) -> Result<PathBuf, QueueError> {
        self.dir().map(Path::to_owned).ok_or_else(|| QueueError::plain(Code::StoreNone, ""))
    }
}

/// The copy that a restore makes ready.
fn draft_in(dir: &Path) -> PathBuf {
    dir.join(format!("{DATABASE}.restoring"))
}

/// Whose folder it is. The address may have changed since, the installation may not.
fn installation(folder: &Path) -> Result<String, QueueError> {
    let text = std::fs::read_to_string(folder.join(FOLDER_MARK)).map_err(|error| io(error, folder))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Whether a backup is this installation's, and sound.
fn is_of(backup: &Path, installation_id: &str) -> Result<(), QueueError> {
    if installation(backup)? != installation_id {
        return Err(QueueError::plain(Code::StoreForeign, "the backup is of another site"));
    }
    check(&backup.join(DATABASE))
}

/// The lock of a run, so that nobody sends while a store is replaced.
fn alone(dir: &Path, now: &Moment) -> Result<RunLock, QueueError> {
    let holder = Holder { pid: std::process::id(), since: now.wall, caller: "restore".into(), run_id: String::new() };
    RunLock::try_take(&dir.join(RUN_LOCK), &holder, &SystemClock)?.ok_or_else(|| QueueError::plain(Code::RelayBusy, ""))
}

/// Marks what a draft calls unsent, pauses it, and brings it to the disk.
fn pause_restored(conn: rusqlite::Connection, draft: &Path, ring: &Ring, now: &Moment) -> Result<(), QueueError> {
    let transaction = conn.unchecked_transaction()?;
    let tx = Tx { sql: &transaction, ring };
    tx.verify_unfinished(Doubt::OlderStore)?;
    tx.pause_at(Pause::Restored, Code::StoreRestored, "wp halt-tracker restore", now.wall, 0)?;
    transaction.commit()?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    conn.close().map_err(|(_, error)| error)?;
    File::open(draft).and_then(|file| file.sync_all()).map_err(|error| io(error, draft))
}

/// The draft becomes the database, in one step.
fn replace(dir: &Path, draft: &Path) -> Result<(), QueueError> {
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(dir.join(format!("{DATABASE}{end}")));
    }
    std::fs::rename(draft, dir.join(DATABASE)).map_err(|error| io(error, draft))?;
    place::sync_folder(dir)
}

/// Whether a file is a sound database.
fn check(path: &Path) -> Result<(), QueueError> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = rusqlite::Connection::open_with_flags(path, flags)?;
    let said: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(QueueError::plain(Code::StoreDamaged, "the backup fails its own check")) }
}

/// Copies sealed files that are not there yet, or cut: they never change, so that a shorter one is a part of the other.
fn copy_files(from: &Path, to: &Path) -> Result<usize, QueueError> {
    let folder = from.join("files");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).map_err(|error| io(error, &folder))? {
        let (source, name) =
            entry.map(|entry| (entry.path(), entry.file_name())).map_err(|error| io(error, &folder))?;
        let target = to.join("files").join(&name);
        let is_whole = std::fs::metadata(&target)
            .is_ok_and(|there| std::fs::metadata(&source).is_ok_and(|about| there.len() >= about.len()));
        // A draft is nobody's file.
        if is_whole || name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Only what is whole and on the disk gets the name by which it is read, and the next restore passes over it.
        let draft = to.join("files").join(format!(".{}", name.to_string_lossy()));
        let copied = copy(&source, &draft);
        match copied.and_then(|()| std::fs::rename(&draft, &target).map_err(|error| io(error, &target))) {
            Ok(()) => count += 1,
            // Retention took it meanwhile.
            Err(QueueError::Io(error, _)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let _ = std::fs::remove_file(&draft);
                return Err(error);
            }
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
