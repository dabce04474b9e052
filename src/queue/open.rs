//! Opening a store: whose it is, under which keys, and the one way to write into it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use zeroize::Zeroizing;

use super::QueueError;
use super::Site;
use super::disk::{Files, changed_at, configure, furnish, make_private, wal_is_missing};
use super::lane::Doubt;
use super::lock::{PATIENCE, RunSlot, WriteLock};
use crate::codes::Code;
use crate::vault::{Aad, Ring, place};

/// The schema's version (`PRAGMA user_version`). A store with a higher one is not touched.
pub const SCHEMA: i64 = 1;
/// The file whose presence says that a folder is ours: uninstalling removes nothing else.
pub const FOLDER_MARK: &str = "halt-tracker-store";
pub(super) const DATABASE: &str = "queue.sqlite";

/// An open store of one site.
#[derive(Debug)]
pub struct Store {
    pub(super) conn: Connection,
    pub(super) ring: Ring,
    /// The lock of a run in progress.
    pub run_lock: RunSlot,
    pub(super) files: Option<Files>,
    /// The run whose writes these are, while one is in progress.
    pub(super) run: Option<String>,
    /// The folder of sealed files of a store in memory, and its lock of runs.
    folder: Option<PathBuf>,
    pub(super) lock_file: Option<PathBuf>,
    /// Whether the site has to save epoch and counter.
    pub remember: bool,
    pub(super) patience: Duration,
    /// What opening has used up of the patience: the first write after it has the rest.
    waited: Duration,
}

/// Statements that stay prepared: a run with its looks uses some eighty, SQLite's cache keeps sixteen by default.
const STATEMENTS: usize = 128;

impl Store {
    /// Opens the site's store, or makes it when the site never had one.
    ///
    /// # Errors
    /// `HT-11xx` when the folder cannot be used or the store is not this site's, `HT-13xx` for keys.
    pub fn open(dir: &Path, key_file: &Path, site: &Site) -> Result<Self, QueueError> {
        let database = dir.join(DATABASE);
        let missing = || QueueError::plain(Code::StoreMissing, dir.display().to_string());
        let known = site.named || !site.epoch.is_empty();
        if known && std::fs::metadata(dir).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Err(missing());
        }
        // Whose folder it is comes before any look at the database: a folder that may not be entered looks empty.
        place::prepare(dir)?;
        let is_there = || database.try_exists().map_err(|error| QueueError::io(error, DATABASE));
        if known && !is_there()? {
            return Err(missing());
        }
        // Making the store and its first key is one step for everybody who arrives at the same time.
        let began = Instant::now();
        let lock = WriteLock::take(&dir.join("write.lock"), PATIENCE)?;
        let waited = began.elapsed();
        let made = !is_there()?;
        let forgetful = !made && wal_is_missing(&database)?;
        let ring = match Ring::open(key_file)? {
            Some(ring) => ring,
            None if made => Ring::create(key_file)?,
            // The key of a store that is only just named may lie anywhere.
            None if site.named => return Err(QueueError::plain(Code::KeyMissing, key_file.display().to_string())),
            // A lost key: what is sealed waits, new submissions go on under a new key, whose file lies beside
            // the lost one's place, so that bringing that one back overwrites nothing.
            None => Ring::create_beside(key_file)?,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if made {
            make_private(&database)?;
        }
        let conn = Connection::open_with_flags(&database, flags)?;
        configure(&conn, PATIENCE.saturating_sub(waited))?;
        keep_prepared(&conn)?;
        let mut store = Self::around(conn, ring, waited);
        store.begin_schema(site, !known)?;
        store.check_owner(site, forgetful)?;
        store.check_key(site.named)?;
        furnish(dir, &format!("{}\n{}\n", site.install_id, site.fingerprint()))?;
        store.files = Some(Files::now(dir, key_file));
        drop(lock);
        Ok(store)
    }

    fn around(conn: Connection, ring: Ring, waited: Duration) -> Self {
        let (run_lock, files, run, folder, lock_file) = (RunSlot::default(), None, None, None, None);
        Self { conn, ring, run_lock, files, run, folder, lock_file, remember: false, patience: PATIENCE, waited }
    }

    /// A store in memory, for simulations: same schema, same statements, no files and no lock of writers.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn in_memory(conn: Connection, ring: Ring, site: &Site) -> Result<Self, QueueError> {
        conn.pragma_update(None, "foreign_keys", true)?;
        keep_prepared(&conn)?;
        let mut store = Self::around(conn, ring, Duration::ZERO);
        store.begin_schema(site, true)?;
        store.check_owner(site, false)?;
        Ok(store)
    }

    /// The same store in memory, with sealed files in a folder.
    pub fn with_files_in(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// The same store in memory, whose runs take the lock of a file.
    pub fn with_run_lock(mut self, file: PathBuf) -> Self {
        self.lock_file = Some(file);
        self
    }

    /// The folder of a store on disk.
    pub fn dir(&self) -> Option<&Path> {
        self.files.as_ref().map(|files| files.dir.as_path())
    }

    /// The folder of the sealed files.
    pub fn files_dir(&self) -> Option<PathBuf> {
        self.dir().map(|dir| dir.join("files")).or_else(|| self.folder.clone())
    }

    /// The key ring.
    pub const fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The connection of a store in memory, for a simulation's snapshots.
    pub const fn connection(&self) -> &Connection {
        &self.conn
    }

    /// How long locks are waited for: a moment while a visitor waits, half a minute inside a run.
    pub fn be_patient(&mut self, patient: bool) {
        self.patience = if patient { Duration::from_secs(30) } else { PATIENCE };
    }

    /// Whether the files at the store's paths are still the ones that were opened.
    pub fn is_sound(&self) -> bool {
        self.files.as_ref().is_none_or(Files::is_sound)
    }

    /// Runs one write transaction: lock, `BEGIN IMMEDIATE`, checks, the work, `COMMIT` with a full sync.
    /// Nothing else in the crate writes. The work must not touch network, files or PHP. Within a run the writes are that
    /// run's, and when another one has begun since, nothing is written (`HT-1607`).
    ///
    /// # Errors
    /// The work's own; `HT-1104` when locks were not had in time, `HT-1107` for a newer store, `HT-1113`
    /// when a file of the store was replaced (then nothing may be acknowledged before a second look).
    pub fn write<T>(&mut self, work: impl FnOnce(&Tx<'_>) -> Result<T, QueueError>) -> Result<T, QueueError> {
        let began = Instant::now();
        let patience = self.patience.saturating_sub(std::mem::take(&mut self.waited));
        let lock = match &self.files {
            Some(files) => Some(WriteLock::take(&files.dir.join("write.lock"), patience)?),
            None => None,
        };
        self.refresh_ring()?;
        // Somebody else's tool may hold the database itself: both waits together are what a visitor may be made to wait.
        self.conn.busy_timeout(patience.saturating_sub(began.elapsed()))?;
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = transaction.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?;
        if version > SCHEMA {
            return Err(QueueError::plain(Code::StoreNewer, format!("schema {version}, known {SCHEMA}")));
        }
        let tx = Tx { sql: &transaction, ring: &self.ring };
        tx.must_be_in_force(self.run.as_deref())?;
        let result = work(&tx)?;
        transaction.commit()?;
        if !self.is_sound() {
            self.save_deleted_wal();
            return Err(QueueError::plain(Code::StoreMoved, "the database or its WAL has another inode"));
        }
        drop(lock);
        Ok(result)
    }

    /// Reads outside a write transaction.
    pub(super) const fn read(&self) -> Tx<'_> {
        Tx { sql: &self.conn, ring: &self.ring }
    }

    /// A fact of the store's `meta`, empty when it is not there.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn meta(&self, name: &str) -> Result<String, QueueError> {
        self.read().meta(name)
    }

    /// Seals with the current key.
    ///
    /// # Errors
    /// `HT-13xx`.
    pub fn seal(&self, row: &str, column: &str, plain: &[u8]) -> Result<Vec<u8>, QueueError> {
        self.read().seal(row, column, plain)
    }

    /// Reads the ring again when another process made a newer key.
    fn refresh_ring(&mut self) -> Result<(), QueueError> {
        let named = self.meta("key")?;
        if named.is_empty() || named == self.ring.current() {
            return Ok(());
        }
        if self.ring.set_current(&named).is_ok() {
            return Ok(());
        }
        self.reread_ring()?;
        // The named key may be lost for good: then the newest one seals, and the store says so.
        let _ = self.ring.set_current(&named);
        Ok(())
    }

    /// Reads the key files again when their folder has changed: a worker lives long, and a lost key may be back.
    ///
    /// # Errors
    /// `HT-1302` for a file that is no key.
    pub fn heed_key_folder(&mut self) -> Result<(), QueueError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        let changed = changed_at(&files.key_file);
        if changed == files.keys_at {
            return Ok(());
        }
        files.keys_at = changed;
        self.reread_ring()
    }

    /// Reads the key files again; the key that seals stays the same.
    pub(super) fn reread_ring(&mut self) -> Result<(), QueueError> {
        if let Some(files) = &self.files
            && let Some(mut ring) = Ring::open(&files.key_file)?
        {
            let _ = ring.set_current(self.ring.current());
            self.ring = ring;
        }
        Ok(())
    }

    /// Makes the schema in an empty database.
    fn begin_schema(&mut self, site: &Site, may_make: bool) -> Result<(), QueueError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version > SCHEMA {
            return Err(QueueError::plain(Code::StoreNewer, format!("schema {version}, known {SCHEMA}")));
        }
        if version == 0 && !may_make {
            // A site that has had a store never gets an empty one in its place by itself.
            return Err(QueueError::plain(Code::StoreDamaged, "the database is empty"));
        }
        if version == 0 {
            transaction.execute_batch(include_str!("schema.sql"))?;
            let tx = Tx { sql: &transaction, ring: &self.ring };
            let mut epoch = [0; 8];
            getrandom::fill(&mut epoch).map_err(|_| QueueError::plain(Code::KeyRandom, "epoch"))?;
            tx.set_meta("install_id", &site.install_id)?;
            tx.set_meta("home", &site.fingerprint())?;
            tx.set_meta("epoch", &hex(&epoch))?;
            tx.set_meta("counter", "0")?;
            tx.set_meta("key", self.ring.current())?;
            tx.set_meta(super::addresses::INDEXED, super::addresses::ALL)?;
            tx.pause_unless_live(site)?;
            if site.start_new {
                tx.pause(super::state::Pause::Restored, Code::StoreRestored, "a new store", 0)?;
            }
            transaction.pragma_update(None, "user_version", SCHEMA)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Pauses sending while the key that the store names is missing, and goes on sealing under the newest.
    fn check_key(&mut self, must_be_there: bool) -> Result<(), QueueError> {
        let named = self.meta("key")?;
        if self.ring.set_current(&named).is_ok() {
            return Ok(());
        }
        if must_be_there {
            return Err(QueueError::plain(Code::KeyMissing, format!("key {named}")));
        }
        let newest = self.ring.current().to_owned();
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tx = Tx { sql: &transaction, ring: &self.ring };
        tx.pause(super::state::Pause::Key, Code::KeyMissing, &named, 0)?;
        tx.set_meta("key", &newest)?;
        transaction.commit()?;
        Ok(())
    }

    /// *Whose store*: nothing of it is read before this holds. A store that was bound to a new address, or that has
    /// forgotten what its WAL held, looks before it sends: the place it moved from may have gone on sending, and the WAL
    /// may have held the word that something was sent.
    fn check_owner(&mut self, site: &Site, forgetful: bool) -> Result<(), QueueError> {
        let own = self.meta("install_id")? == site.install_id;
        let here = self.meta("home")? == site.fingerprint();
        if !own || !(here || site.moved) {
            return Err(QueueError::plain(Code::StoreForeign, "install id or address differ"));
        }
        if !here || forgetful {
            let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let tx = Tx { sql: &transaction, ring: &self.ring };
            tx.set_meta("home", &site.fingerprint())?;
            tx.verify_unfinished(Doubt::OlderStore)?;
            if !here {
                // Both a copy and a move end with "this site has moved"; only the environment tells a staging copy.
                tx.pause_unless_live(site)?;
            }
            transaction.commit()?;
        }
        // The site never saved the epoch of this store: a crash came between making and remembering it.
        self.remember = site.epoch.is_empty();
        Ok(())
    }
}

/// A transaction or a plain reader, with the keys that its rows are sealed under.
pub struct Tx<'a> {
    pub(super) sql: &'a Connection,
    pub(super) ring: &'a Ring,
}

impl Tx<'_> {
    /// Runs a statement that changes rows, and keeps it prepared; how many rows it changed.
    pub(super) fn change(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, QueueError> {
        Ok(self.sql.prepare_cached(sql)?.execute(values)?)
    }

    /// The id of a submission by its order number.
    pub(super) fn id_of(&self, seq: i64) -> Result<String, QueueError> {
        Ok(self.sql.prepare_cached("SELECT id FROM submission WHERE seq = ?1")?.query_row([seq], |row| row.get(0))?)
    }

    /// A fact of `meta`, empty when it is not there.
    pub(super) fn meta(&self, name: &str) -> Result<String, QueueError> {
        let value =
            self.sql.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0));
        Ok(value.optional()?.unwrap_or_default())
    }

    /// Sets a fact of `meta`.
    pub(super) fn set_meta(&self, name: &str, value: &str) -> Result<(), QueueError> {
        self.sql
            .prepare_cached("INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")?
            .execute([name, value])?;
        Ok(())
    }

    /// Seals a value for a row and column.
    pub(super) fn seal(&self, row: &str, column: &str, plain: &[u8]) -> Result<Vec<u8>, QueueError> {
        Ok(self.ring.seal(&Aad { row, column }, plain)?)
    }

    /// Seals words, or nothing when there are none.
    pub(super) fn seal_words(&self, row: &str, column: &str, words: &str) -> Result<Option<Vec<u8>>, QueueError> {
        if words.is_empty() { Ok(None) } else { self.seal(row, column, words.as_bytes()).map(Some) }
    }

    /// Opens a sealed value.
    pub(super) fn unseal(&self, row: &str, column: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, QueueError> {
        Ok(self.ring.unseal(&Aad { row, column }, sealed)?)
    }

    /// Opens sealed words; what does not open is shown as such, since a journal must always be readable.
    pub(super) fn words(&self, row: &str, column: &str, sealed: Option<Vec<u8>>) -> String {
        sealed.map_or_else(String::new, |sealed| match self.unseal(row, column, &sealed) {
            Ok(plain) => String::from_utf8_lossy(&plain).into_owned(),
            Err(_) => "(sealed under a missing key)".to_owned(),
        })
    }
}

/// Statements stay prepared, and are planned once: left alone, SQLite plans most of them anew for each value that is bound,
/// in case an index suits it better. Ours name the indexes' conditions in words, so that the plan is the same.
fn keep_prepared(conn: &Connection) -> Result<(), QueueError> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
