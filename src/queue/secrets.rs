//! Credentials and tokens, sealed. Nothing here is ever shown; screens see whether one is set and its last
//! four characters.

use rusqlite::{OptionalExtension, params};
use zeroize::Zeroizing;

use super::open::Tx;
use super::{QueueError, Store};
use crate::tracker::tokens::Token;

/// The table of secrets that people enter.
pub const NAMES: &[&str] = &["client_secret", "refresh_token", "api_token", "shared_secret"];
/// The fact that tells which credentials the present generation stands for.
const CREDENTIALS: &str = "credentials";
/// How many webhook secrets may be active at the same time, so that one can be replaced without a gap.
pub const MOST_SHARED: usize = 3;

/// A secret as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SecretView {
    /// Its name in [`NAMES`].
    pub name: String,
    /// Which of several webhook secrets.
    pub slot: i64,
    /// Its last four characters, when it has at least twenty.
    pub last4: String,
    /// When it was saved, milliseconds since 1970.
    pub saved_at: i64,
    /// When it last authenticated something.
    pub used_at: Option<i64>,
    /// Whether it was taken over although it is weak.
    pub weak: bool,
}

impl Store {
    /// Saves a secret; a webhook secret beside the others, any other in place of the old one. A saved
    /// credential is a new one even when it is the same text: the generation rises and tokens are forgotten.
    ///
    /// # Errors
    /// `HT-1410` for a fourth webhook secret; the store's.
    pub fn save_secret(&mut self, name: &str, value: &str, weak: bool, now: i64) -> Result<(), QueueError> {
        self.write(|tx| tx.save_secret(name, value, weak, now))
    }

    /// Begins a generation when other credentials are in force than a run saw last. One that was saved has begun one already,
    /// and so it is with the first run of a store.
    ///
    /// # Errors
    /// The store's.
    pub fn heed_credentials(&mut self, mark: &str) -> Result<(), QueueError> {
        let known = self.meta(CREDENTIALS)?;
        if known == mark {
            return Ok(());
        }
        self.write(|tx| if known.is_empty() { tx.set_meta(CREDENTIALS, mark) } else { tx.begin_generation(mark) })
    }

    /// Opens a secret: (slot, value), the newest first; of several those that open.
    ///
    /// # Errors
    /// `HT-13xx` when none of them can be opened; SQLite's own.
    pub fn secrets(&self, name: &str) -> Result<Vec<(i64, Zeroizing<String>)>, QueueError> {
        self.read().secrets(name)
    }

    /// What may be shown of all secrets.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn secret_views(&self) -> Result<Vec<SecretView>, QueueError> {
        self.read().secret_views()
    }

    /// Retires a webhook secret.
    ///
    /// # Errors
    /// The store's.
    pub fn retire_secret(&mut self, name: &str, slot: i64) -> Result<bool, QueueError> {
        self.write(|tx| Ok(tx.change("DELETE FROM secret WHERE name = ?1 AND slot = ?2", params![name, slot])? > 0))
    }

    /// Notes that a webhook secret authenticated a request; once a minute is enough.
    ///
    /// # Errors
    /// The store's.
    pub fn secret_was_used(&mut self, name: &str, slot: i64, now: i64) -> Result<(), QueueError> {
        let recent: Option<i64> = self
            .conn
            .prepare_cached("SELECT used_at FROM secret WHERE name = ?1 AND slot = ?2")?
            .query_row(params![name, slot], |row| row.get(0))
            .optional()?
            .flatten();
        if recent.is_some_and(|at| now - at < 60_000) {
            return Ok(());
        }
        self.write(|tx| {
            tx.change("UPDATE secret SET used_at = ?3 WHERE name = ?1 AND slot = ?2", params![name, slot, now])?;
            Ok(())
        })
    }

    /// A token by name, with its expiry (milliseconds since 1970).
    ///
    /// # Errors
    /// `HT-13xx` when it cannot be opened; SQLite's own.
    pub fn token(&self, name: &str) -> Result<Option<Token>, QueueError> {
        self.read().token(name)
    }

    /// Keeps a token durably; `None` forgets it.
    ///
    /// # Errors
    /// The store's.
    pub fn set_token(&mut self, name: &str, value: Option<(&str, Option<i64>)>) -> Result<(), QueueError> {
        self.write(|tx| tx.set_token(name, value))
    }
}

impl Tx<'_> {
    fn save_secret(&self, name: &str, value: &str, weak: bool, now: i64) -> Result<(), QueueError> {
        let slot = if name == "shared_secret" {
            let taken: Vec<i64> = self
                .sql
                .prepare_cached("SELECT slot FROM secret WHERE name = ?1")?
                .query_map([name], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            if taken.len() >= MOST_SHARED {
                return Err(QueueError::plain(crate::codes::Code::SecretCount, name));
            }
            taken.iter().max().map_or(1, |last| last + 1)
        } else {
            // Any credential saved by hand is a new one: what was derived from the old one is void. Records that look-ups
            // must find are no tokens: they tell whether the new ones speak for the same account.
            self.change("DELETE FROM token WHERE name NOT LIKE 'control %'", [])?;
            self.begin_generation("")?;
            0
        };
        let sealed = self.seal(&self.of_site(&row_of(name, slot))?, "secret", value.as_bytes())?;
        self.change(
            "INSERT OR REPLACE INTO secret (name, slot, sealed, saved_at, used_at, weak) VALUES (?1, ?2, ?3, ?4, NULL, ?5)",
            params![name, slot, sealed, now, weak],
        )?;
        Ok(())
    }

    /// From here on other credentials are in force. `mark` stands for them; empty until a run has seen them.
    fn begin_generation(&self, mark: &str) -> Result<(), QueueError> {
        let generation: i64 = self.meta("generation")?.parse().unwrap_or_default();
        self.set_meta("generation", &(generation + 1).to_string())?;
        self.set_meta(CREDENTIALS, mark)
    }

    fn secrets(&self, name: &str) -> Result<Vec<(i64, Zeroizing<String>)>, QueueError> {
        let mut statement =
            self.sql.prepare_cached("SELECT slot, sealed FROM secret WHERE name = ?1 ORDER BY slot DESC")?;
        let rows = statement.query_map([name], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let (mut open, mut closed) = (Vec::new(), None);
        for row in rows {
            let (slot, sealed) = row?;
            match self.unseal(&self.of_site(&row_of(name, slot))?, "secret", &sealed) {
                Ok(plain) => open.push((slot, text(&plain))),
                Err(error) => closed = closed.or(Some(error)),
            }
        }
        // One under a lost key must not make the one useless that was saved in its place.
        closed.filter(|_| open.is_empty()).map_or(Ok(open), Err)
    }

    fn secret_views(&self) -> Result<Vec<SecretView>, QueueError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT name, slot, sealed, saved_at, used_at, weak FROM secret ORDER BY name, slot")?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, slot): (String, i64) = (row.get(0)?, row.get(1)?);
            let sealed: Vec<u8> = row.get(2)?;
            let last4 = self
                .unseal(&self.of_site(&row_of(&name, slot))?, "secret", &sealed)
                .map_or_else(|_| String::new(), |plain| last4(&text(&plain)));
            all.push(SecretView { name, slot, last4, saved_at: row.get(3)?, used_at: row.get(4)?, weak: row.get(5)? });
        }
        Ok(all)
    }

    pub(super) fn set_token(&self, name: &str, value: Option<(&str, Option<i64>)>) -> Result<(), QueueError> {
        let Some((value, expires_at)) = value else {
            self.change("DELETE FROM token WHERE name = ?1", [name])?;
            return Ok(());
        };
        let sealed = self.seal(&self.of_site(name)?, "token", value.as_bytes())?;
        self.change(
            "INSERT OR REPLACE INTO token (name, sealed, expires_at) VALUES (?1, ?2, ?3)",
            params![name, sealed, expires_at],
        )?;
        Ok(())
    }

    pub(super) fn token(&self, name: &str) -> Result<Option<Token>, QueueError> {
        let row: Option<(Vec<u8>, Option<i64>)> = self
            .sql
            .prepare_cached("SELECT sealed, expires_at FROM token WHERE name = ?1")?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let place = self.of_site(name)?;
        row.map(|(sealed, expires_at)| Ok((text(&self.unseal(&place, "token", &sealed)?), expires_at))).transpose()
    }

    /// The row of a credential. Sites of a network may share a key file: what is one's opens in no other store.
    fn of_site(&self, name: &str) -> Result<String, QueueError> {
        Ok(format!("{} {name}", self.meta("install_id")?))
    }
}

/// The last four characters of a secret that is long enough to give them away.
pub fn last4(secret: &str) -> String {
    let count = secret.chars().count();
    if count < 20 { String::new() } else { secret.chars().skip(count - 4).collect() }
}

fn row_of(name: &str, slot: i64) -> String {
    format!("{name}#{slot}")
}

fn text(plain: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(plain).into_owned())
}
