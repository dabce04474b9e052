//! Who was erased, as keyed hashes with times: kept in the store, and by the site in an option, because either of them may
//! be put back from a backup without the other. Whoever comes back with one is erased again by the other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::{Connection, params};

use super::accept::normal;
use super::open::{DATABASE, Tx};
use super::state::State;
use super::tidy::TRACE_MS;
use super::{QueueError, Store};
use crate::clock::Moment;

/// Keyed hash of an e-mail address, and when its owner was erased, milliseconds since 1970.
pub type Erased = BTreeMap<[u8; 32], i64>;

/// What a store that was set aside by a restore is called, before the time.
pub(super) const ASIDE: &str = ".before-restore-";
/// The same of a store that could not be opened: nothing can be erased in it, it only goes after its time.
pub(super) const DAMAGED: &str = ".damaged-";

impl Store {
    /// Takes in what the site remembers, erases again who is here all the same, and gives back all that is known now.
    ///
    /// # Errors
    /// The store's.
    pub fn share_erasures(&mut self, known: &Erased, now: &Moment) -> Result<(Erased, usize), QueueError> {
        let here = self.read().erased()?;
        let recent = |at: i64| at > now.wall - TRACE_MS;
        let news: Erased = known
            .iter()
            .filter(|(hash, at)| recent(**at) && here.get(*hash).is_none_or(|known| known < *at))
            .map(|(hash, at)| (*hash, *at))
            .collect();
        if news.is_empty() {
            return Ok((here.into_iter().filter(|(_, at)| recent(*at)).collect(), 0));
        }
        // A store of an earlier version may have been put back.
        self.index_all_addresses()?;
        let (all, ids, files) = self.write(|tx| {
            tx.remember_erased(&news)?;
            let (mut ids, mut files) = (Vec::new(), Vec::new());
            for (seq, (id, at)) in tx.here_again(&news)? {
                let stored = tx.stored_files(seq)?;
                let state = tx.state_of(&id)?.unwrap_or(State::Sending);
                // As of then: what the person has sent since is theirs.
                let then = Moment { wall: at, ..now.clone() };
                tx.erase(seq, &id, state, tx.has_open_step(seq)?, &then)?;
                // What hangs on an open answer is marked, and goes as soon as that settles.
                if tx.state_of(&id)? == Some(State::Erased) {
                    files.extend(stored);
                }
                ids.push(id);
            }
            Ok((tx.erased()?, ids, files))
        })?;
        self.unlink(&files);
        if !ids.is_empty() {
            // A reader that holds the WAL leaves that to the next run.
            let _ = self.checkpoint();
        }
        Ok((all.into_iter().filter(|(_, at)| recent(*at)).collect(), ids.len()))
    }

    /// Notes that somebody is erased as of now, whether or not anything of them is here: what they sent before and lies
    /// sealed elsewhere is erased when it comes in.
    ///
    /// # Errors
    /// The store's.
    pub fn note_erasure(&mut self, email: &str, now: i64) -> Result<(), QueueError> {
        self.write(|tx| {
            let hash = tx.ring.hash("email", normal(email).as_bytes());
            tx.remember_erased(&Erased::from([(hash, now)]))
        })
    }

    /// Erases in the stores that restores have set aside, too, with the files that this one does not name.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn erase_aside(&self) -> Result<(), QueueError> {
        let erased = self.read().erased()?;
        for path in self.asides()? {
            let conn = Connection::open(&path)?;
            conn.pragma_update(None, "secure_delete", true)?;
            for name in self.erase_within(&conn, &erased)? {
                if !self.file_is_known(&name)? {
                    self.unlink(&[name]);
                }
            }
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            conn.close().map_err(|(_, error)| error)?;
        }
        Ok(())
    }

    /// The databases that restores have set aside.
    ///
    /// # Errors
    /// The operating system's: what cannot be listed may be there.
    pub(super) fn asides(&self) -> Result<Vec<PathBuf>, QueueError> {
        self.beside(&[format!("{DATABASE}{ASIDE}")])
    }

    /// The files of stores that could not be opened when a backup took their place.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn damaged(&self) -> Result<Vec<PathBuf>, QueueError> {
        self.beside(&["", "-wal"].map(|end| format!("{DATABASE}{end}{DAMAGED}")))
    }

    /// Files in the store's folder whose name is one of these and a time.
    fn beside(&self, begins: &[String]) -> Result<Vec<PathBuf>, QueueError> {
        let Some(dir) = self.dir() else { return Ok(Vec::new()) };
        let io = |error| QueueError::io(error, dir.display().to_string());
        let mut found = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(io)? {
            let entry = entry.map_err(io)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let time = begins.iter().find_map(|begin| name.strip_prefix(begin.as_str()));
            if time.is_some_and(|time| time.bytes().all(|byte| byte.is_ascii_digit())) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Erases in another database under the same keys; the stored names of the files that go with it.
    pub(super) fn erase_within(&self, conn: &Connection, erased: &Erased) -> Result<Vec<String>, QueueError> {
        let transaction = conn.unchecked_transaction()?;
        let tx = Tx { sql: &transaction, ring: &self.ring };
        let mut files = Vec::new();
        tx.remember_erased(erased)?;
        tx.index_all_addresses()?;
        for (seq, (id, at)) in tx.here_again(erased)? {
            files.extend(tx.stored_files(seq)?);
            tx.erase_now(seq, &id, at)?;
        }
        transaction.commit()?;
        Ok(files)
    }
}

impl Tx<'_> {
    /// Everybody who was erased.
    pub(super) fn erased(&self) -> Result<Erased, QueueError> {
        let mut statement = self.sql.prepare_cached("SELECT hash, at FROM erased")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn remember_erased(&self, erased: &Erased) -> Result<(), QueueError> {
        for (hash, at) in erased {
            self.sql
                .prepare_cached("INSERT INTO erased (hash, at) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET at = max(at, excluded.at)")?
                .execute(params![hash, at])?;
        }
        Ok(())
    }

    /// Submissions of somebody who was erased after they were received: by order, the id and that time.
    fn here_again(&self, erased: &Erased) -> Result<BTreeMap<i64, (String, i64)>, QueueError> {
        let mut all = BTreeMap::new();
        for (hash, at) in erased {
            let mut statement = self.sql.prepare_cached(
                "SELECT seq, id FROM search JOIN submission USING (seq) WHERE hash = ?1 AND received_at < ?2 AND state <> 'erased' AND erase = 0",
            )?;
            let rows = statement.query_map(params![hash, at], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                let (seq, id): (i64, String) = row?;
                if self.is_of(seq, &id, hash)? {
                    all.insert(seq, (id, *at));
                }
            }
        }
        Ok(all)
    }
}
