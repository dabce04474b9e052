//! The two locks of a store. Both are flock(2) on files of their own, because SQLite's POSIX locks vanish
//! when any code of the process closes a descriptor of the database (a backup plugin may), flock does not.
//!
//! A lock file is opened for each use and closed afterwards: nothing of it is inherited by a fork that
//! happens between calls, and nobody ever calls unlock, which would free it for a parent as well.

use std::cell::RefCell;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::QueueError;
use crate::clock::{Clock, Random, SystemRandom};
use crate::codes::Code;

/// How long a visitor may be made to wait for locks.
pub const PATIENCE: Duration = Duration::from_millis(1_500);

/// How often, and how far apart, a run looks again whether the run lock is free.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// The lock that every writer holds for one transaction.
#[derive(Debug)]
pub struct WriteLock(#[expect(dead_code, reason = "held, never read: closing it frees the lock")] File);

impl WriteLock {
    /// Takes the lock within `patience`.
    ///
    /// # Errors
    /// `HT-1104` when somebody else holds it all that time; an I/O code when the file cannot be opened.
    pub fn take(path: &Path, patience: Duration) -> Result<Self, QueueError> {
        let file = open(path)?;
        let end = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(QueueError::io(error, "write.lock")),
                Err(TryLockError::WouldBlock) if Instant::now() >= end => {
                    return Err(QueueError::plain(Code::StoreBusy, "write.lock was held by another process"));
                }
                // Short and uneven sleeps: waiting writers do not wake in step.
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(Duration::from_micros(200 + SystemRandom.up_to(1_800)))
                }
            }
        }
    }
}

/// Who holds the run lock, as written into it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Milliseconds since 1970.
    pub since: i64,
    /// `cron`, `button`, `cli` or `after`.
    pub caller: String,
    /// The run's id.
    pub run_id: String,
}

/// The lock of the one runner. The kernel frees it when its holder dies.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    path: PathBuf,
    inode: u64,
    pid: u32,
}

impl RunLock {
    /// Takes the lock within a few milliseconds of a clock, or says that somebody else has it (`None`).
    ///
    /// # Errors
    /// An I/O code when the file cannot be opened or written.
    pub fn try_take(path: &Path, holder: &Holder, clock: &dyn Clock) -> Result<Option<Self>, QueueError> {
        let mut file = open(path)?;
        let mut looks = LOOKS;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Somebody who asks who holds it (`holder`) has a share of it for that moment: no reason to leave out a run.
                Err(TryLockError::WouldBlock) if looks > 0 => looks -= 1,
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(QueueError::io(error, "run.lock")),
            }
            clock.sleep(BETWEEN_LOOKS);
        }
        let text = serde_json::to_vec(holder).unwrap_or_default();
        let inode = file.metadata().map(|about| inode_of(&about)).map_err(|error| QueueError::io(error, "run.lock"))?;
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&text))
            .map_err(|error| QueueError::io(error, "run.lock"))?;
        let lock = Self { file, path: path.to_owned(), inode, pid: std::process::id() };
        // The file may have been replaced between opening and locking: then the lock guards nothing.
        Ok(lock.is_sound().then_some(lock))
    }

    /// Whether the locked file is still the one at its path.
    pub fn is_sound(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|about| inode_of(&about) == self.inode)
    }

    /// Who holds the lock at present; `None` when it is free.
    pub fn holder(path: &Path) -> Option<Holder> {
        let mut file = OpenOptions::new().read(true).open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).ok()?;
                serde_json::from_str(&text).ok()
            }
            _ => None,
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing frees it. The name of the last holder is taken out, so that nobody reads a stale one; a fork child closes
        // what it has inherited, and the name is still its parent's.
        if self.pid == std::process::id() && self.is_sound() {
            let _ = self.file.set_len(0);
        }
    }
}

/// Where the lock of a run lies while the run goes on: beside the run's frames and not in them. A fatal error of PHP is a
/// jump that skips destructors; a lock that only the run itself could drop would then be held for as long as its process lives.
#[derive(Debug, Clone, Default)]
pub struct RunSlot(Rc<RefCell<Option<RunLock>>>);

impl RunSlot {
    /// Takes the lock for a run; whether it was had.
    ///
    /// # Errors
    /// As [`RunLock::try_take`].
    pub fn take(&self, path: &Path, holder: &Holder, clock: &dyn Clock) -> Result<bool, QueueError> {
        let lock = RunLock::try_take(path, holder, clock)?;
        let had = lock.is_some();
        self.0.replace(lock);
        Ok(had)
    }

    /// Frees the lock, if one is held.
    pub fn free(&self) {
        self.0.take();
    }

    /// Whether a lock is held, and its file is still the one at its path.
    pub fn is_sound(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(RunLock::is_sound)
    }
}

/// The inode number of a file.
pub fn inode_of(about: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    about.ino()
}

fn open(path: &Path) -> Result<File, QueueError> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| QueueError::io(error, path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn holder() -> Holder {
        Holder { pid: 1, since: 2, caller: "cron".into(), run_id: "r".into() }
    }

    #[test]
    fn one_runner_holds_the_lock_and_the_next_one_gets_it_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.lock");
        let first = RunLock::try_take(&path, &holder(), &SystemClock).expect("no error").expect("free");
        assert!(RunLock::try_take(&path, &holder(), &SystemClock).expect("no error").is_none());
        assert_eq!(RunLock::holder(&path), Some(holder()));
        drop(first);
        assert_eq!(RunLock::holder(&path), None);
        assert!(RunLock::try_take(&path, &holder(), &SystemClock).expect("no error").is_some());
    }

    #[test]
    fn who_only_asks_for_the_holder_does_not_keep_a_run_from_starting() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.lock");
        let asks = open(&path).expect("opened");
        asks.try_lock_shared().expect("a share");
        let asked = std::thread::spawn(move || {
            std::thread::sleep(BETWEEN_LOOKS / 2);
            drop(asks);
        });
        assert!(RunLock::try_take(&path, &holder(), &SystemClock).expect("no error").is_some());
        asked.join().expect("no panic");
    }

    #[test]
    fn a_replaced_run_lock_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.lock");
        let lock = RunLock::try_take(&path, &holder(), &SystemClock).expect("no error").expect("free");
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, b"").expect("written");
        assert!(!lock.is_sound());
    }

    #[test]
    fn a_busy_write_lock_is_given_up_in_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("write.lock");
        let _held = WriteLock::take(&path, PATIENCE).expect("free");
        let begin = Instant::now();
        let error = WriteLock::take(&path, Duration::from_millis(50)).expect_err("held");
        assert!(matches!(error, QueueError::Plain(Code::StoreBusy, _)));
        assert!(begin.elapsed() < Duration::from_millis(500));
    }
}
