//! Which e-mail addresses stand in a submission, so that whoever asks for what is kept of him, or to be erased, is found
//! wherever the mapping could take an address from: nested, in a list, in `meta`, beside a name, within a longer text.
//! It says nothing about whether an address is valid, and finds no more than [`MOST`] of them.

use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::accept::normal;
use super::open::Tx;
use super::{QueueError, Store};
use crate::submission::Submission;

/// The most addresses by which one submission is found; those that a field holds come before those that a text mentions.
pub const MOST: usize = 200;
/// Longer ones are no addresses (RFC 5321: 64 and 255).
const LONGEST: usize = 320;
/// Longer words are no page addresses.
const LONGEST_URL: usize = 4_096;

/// The fact that says how far the rows of earlier versions are indexed: the last order number, or [`ALL`].
pub(super) const INDEXED: &str = "addresses";
/// Every row is.
pub(super) const ALL: &str = "all";
/// How many rows one run indexes, and from how many sealed bytes on it leaves the others to the next.
const ROWS: i64 = 500;
const BYTES: usize = 8 << 20;

/// The addresses of a submission, as they are compared.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// What a field holds.
    fields: Vec<String>,
    /// What `meta` holds.
    meta: Vec<String>,
    /// What stands within a text.
    mentioned: Vec<String>,
}

impl Addresses {
    /// Looks through everything that the mapping can reach.
    pub fn of(one: &Submission) -> Self {
        let mut found = Self::default();
        let (fields, meta) = (walk(&one.fields), walk(&one.meta));
        for text in &fields {
            collect(text, is_value(text), &mut found.fields);
        }
        for text in &meta {
            collect(text, is_value(text), &mut found.meta);
        }
        for text in fields.iter().chain(&meta) {
            collect(text, !is_value(text), &mut found.mentioned);
        }
        found
    }

    /// All of them, the most telling first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let mut seen = std::collections::HashSet::new();
        let all = self.fields.iter().chain(&self.meta).chain(&self.mentioned).map(String::as_str);
        all.filter(move |address| seen.insert(*address)).take(MOST)
    }

    /// Those of the sender: what a text mentions may be somebody else's, unless nothing else says who it was.
    pub fn senders(&self) -> impl Iterator<Item = &str> {
        let named = !self.fields.is_empty() || !self.meta.is_empty();
        let mentioned: &[String] = if named { &[] } else { &self.mentioned };
        self.fields.iter().chain(&self.meta).chain(mentioned).map(String::as_str)
    }

    /// Whom an erasure is about when only the submission was named: the person that it was planned as, else whom its
    /// fields name.
    fn person<'a>(&'a self, planned: Option<&'a str>) -> Vec<&'a str> {
        if let Some(planned) = planned.filter(|planned| self.all().any(|address| address == *planned)) {
            return vec![planned];
        }
        if self.fields.is_empty() { self.senders().collect() } else { self.fields.iter().map(String::as_str).collect() }
    }
}

/// The e-mail that a plan goes out with.
pub(super) fn planned(plan: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Planned {
        email: Option<String>,
    }
    serde_json::from_slice::<Planned>(plan).ok()?.email
}

/// Every text within, names of members too. Only those that can hold an address.
fn walk(map: &Map<String, Value>) -> Vec<&str> {
    fn value<'a>(one: &'a Value, texts: &mut Vec<&'a str>) {
        match one {
            Value::String(text) => texts.push(text),
            Value::Array(list) => list.iter().for_each(|inner| value(inner, texts)),
            Value::Object(inner) => members(inner, texts),
            _ => {}
        }
    }
    fn members<'a>(map: &'a Map<String, Value>, texts: &mut Vec<&'a str>) {
        for (name, inner) in map {
            texts.push(name);
            value(inner, texts);
        }
    }
    let mut texts = Vec::new();
    members(map, &mut texts);
    texts.retain(|text| text.contains('@') || text.contains("%40"));
    texts
}

/// Whether a text is an address, several of them, or one beside its owner's name, and nothing else.
fn is_value(text: &str) -> bool {
    let text = text.trim();
    if text.len() > 4 * LONGEST || text.contains(['/', '\n', '\r']) {
        return false;
    }
    let mut pieces = text.split([' ', '\t', ',', ';']).filter(|piece| !piece.is_empty());
    pieces.all(|piece| piece.contains('@')) || (text.ends_with('>') && text.matches('@').count() == 1)
}

/// Adds the addresses within a text, if it is of the kind that is asked for.
fn collect(text: &str, wanted: bool, found: &mut Vec<String>) {
    if !wanted {
        return;
    }
    scan(text, found);
    for word in text.split_whitespace().filter(|word| word.len() <= LONGEST_URL && word.contains("%40")) {
        // A page's address with a form's values in it.
        for (name, value) in url::form_urlencoded::parse(word.as_bytes()) {
            scan(&name, found);
            scan(&value, found);
        }
    }
    // Some write addresses in ways of their own: as a whole, it is found as it was entered.
    if text.len() <= LONGEST && text.contains('@') && !text.trim().contains(char::is_whitespace) {
        add(text, found);
    }
}

/// Every `@` with what can stand before and after it.
fn scan(text: &str, found: &mut Vec<String>) {
    let mut pieces = text.split('@');
    let Some(mut left) = pieces.next() else { return };
    for right in pieces {
        if found.len() >= MOST {
            return;
        }
        let length: usize = right.chars().take(LONGEST).take_while(|&letter| of_host(letter)).map(char::len_utf8).sum();
        let host = right.get(..length).unwrap_or_default().trim_end_matches(['.', '-']);
        // As much as can belong to it, and what is left when signs are taken for the text's own: `email=ada@…`.
        for fits in [of_user as fn(char) -> bool, of_plain_user] {
            let length: usize =
                left.chars().rev().take(LONGEST).take_while(|&letter| fits(letter)).map(char::len_utf8).sum();
            let user = left.get(left.len() - length..).unwrap_or_default().trim_start_matches(['.', '\'']);
            if !user.is_empty() && !host.is_empty() {
                add(&format!("{user}@{host}"), found);
            }
        }
        left = right;
    }
}

fn add(address: &str, found: &mut Vec<String>) {
    let address = normal(address);
    if found.len() < MOST && !found.contains(&address) {
        found.push(address);
    }
}

fn of_letters(letter: char) -> bool {
    letter.is_alphanumeric() || unicode_normalization::char::is_combining_mark(letter)
}

fn of_host(letter: char) -> bool {
    of_letters(letter) || matches!(letter, '.' | '-')
}

fn of_plain_user(letter: char) -> bool {
    of_host(letter) || matches!(letter, '_' | '+')
}

fn of_user(letter: char) -> bool {
    of_plain_user(letter) || "!#$%&'*/=?^`{|}~".contains(letter)
}

impl Store {
    /// Indexes some rows that an earlier version stored, when it looked at the topmost fields only; how many. Costs one
    /// read when there is nothing to do.
    ///
    /// # Errors
    /// The store's.
    pub fn index_addresses(&mut self) -> Result<usize, QueueError> {
        if self.meta(INDEXED)? == ALL {
            return Ok(0);
        }
        self.write(|tx| tx.index_addresses())
    }

    /// Whether a submission is somebody else's who only names an address in a text. One that does not open any more is not.
    ///
    /// # Errors
    /// The store's.
    pub fn only_mentions(&self, id: &str, email: &str) -> Result<bool, QueueError> {
        let (seq, ..) = self.detail(id)?;
        let tx = self.read();
        tx.is_of(seq, id, &tx.email_key(&normal(email))).map(|is_theirs| !is_theirs)
    }

    /// Indexes all that is left: whoever is to be erased must be found now.
    ///
    /// # Errors
    /// The store's.
    pub fn index_all_addresses(&mut self) -> Result<(), QueueError> {
        while self.index_addresses()? > 0 {}
        Ok(())
    }
}

impl Tx<'_> {
    fn index_addresses(&self) -> Result<usize, QueueError> {
        let after: i64 = self.meta(INDEXED)?.parse().unwrap_or_default();
        let sql =
            "SELECT seq, id, payload FROM submission WHERE seq > ?1 AND payload IS NOT NULL ORDER BY seq LIMIT ?2";
        let mut statement = self.sql.prepare_cached(sql)?;
        let mut rows = statement.query(params![after, ROWS])?;
        let (mut count, mut bytes, mut last) = (0, 0, None);
        while bytes < BYTES
            && let Some(row) = rows.next()?
        {
            let (seq, id, sealed): (i64, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            (count, bytes, last) = (count + 1, bytes + sealed.len(), Some(seq));
            // What lies under a lost key is indexed when that is back.
            let Ok(plain) = self.unseal(&id, "payload", &sealed) else { continue };
            let Ok(one) = serde_json::from_slice::<Submission>(&plain) else { continue };
            self.index(seq, self.email_keys(&Addresses::of(&one)))?;
        }
        self.set_meta(INDEXED, &last.map_or_else(|| ALL.to_owned(), |seq| seq.to_string()))?;
        Ok(count)
    }

    /// The same for a database at rest, in one go.
    pub(super) fn index_all_addresses(&self) -> Result<(), QueueError> {
        while self.meta(INDEXED)? != ALL {
            self.index_addresses()?;
        }
        Ok(())
    }

    /// Makes a submission findable under keyed hashes.
    pub(super) fn index(&self, seq: i64, keys: impl IntoIterator<Item = [u8; 32]>) -> Result<(), QueueError> {
        let mut statement = self.sql.prepare_cached("INSERT OR IGNORE INTO search (hash, seq) VALUES (?1, ?2)")?;
        keys.into_iter().try_for_each(|hash| statement.execute(params![hash, seq]).map(|_| ()))?;
        Ok(())
    }

    /// Keyed hashes of each address.
    pub(super) fn email_keys(&self, addresses: &Addresses) -> Vec<[u8; 32]> {
        addresses.all().map(|address| self.email_key(address)).collect()
    }

    pub(super) fn email_key(&self, address: &str) -> [u8; 32] {
        self.ring.hash("email", address.as_bytes())
    }

    /// Whether one of the sender's addresses, or any of them, was erased after `since`, up to `now`.
    pub(super) fn erased_between<'a>(
        &self,
        addresses: impl Iterator<Item = &'a str>,
        since: i64,
        now: i64,
    ) -> Result<bool, QueueError> {
        let mut statement =
            self.sql.prepare_cached("SELECT at FROM erased WHERE hash = ?1 AND at > ?2 AND at <= ?3")?;
        // Under every key: an erasure may have been noted while the first one was away.
        for hash in addresses.flat_map(|address| self.ring.hashes("email", address.as_bytes())) {
            if statement.query_row(params![hash, since, now], |row| row.get::<_, i64>(0)).optional()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a submission with this address is of the person, not of somebody who only names it in a text. One that does
    /// not open counts as the person's.
    pub(super) fn is_of(&self, seq: i64, id: &str, hash: &[u8; 32]) -> Result<bool, QueueError> {
        let sql = "SELECT payload, plan FROM submission WHERE seq = ?1";
        let (payload, plan): (Option<Vec<u8>>, Option<Vec<u8>>) =
            self.sql.prepare_cached(sql)?.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let opened = payload.and_then(|sealed| self.unseal(id, "payload", &sealed).ok());
        let Some(one) = opened.and_then(|plain| serde_json::from_slice::<Submission>(&plain).ok()) else {
            return Ok(true);
        };
        let addresses = Addresses::of(&one);
        let planned = plan.and_then(|sealed| self.unseal(id, "plan", &sealed).ok()).and_then(|plain| planned(&plain));
        let mut whose = addresses.senders().map(normal).chain(planned.as_deref().map(normal));
        Ok(whose.any(|address| self.ring.hashes("email", address.as_bytes()).contains(hash)))
    }

    /// Whom to remember when a submission is erased. Where somebody in it has asked to be erased, that is noted already,
    /// and nobody else is: the same address of an office may stand in every form.
    pub(super) fn whom(&self, one: &Submission, plan: &[u8]) -> Result<Vec<[u8; 32]>, QueueError> {
        let addresses = Addresses::of(one);
        if self.erased_between(addresses.all(), one.received_at - 1, i64::MAX)? {
            return Ok(Vec::new());
        }
        Ok(addresses.person(planned(plan).as_deref()).into_iter().map(|address| self.email_key(address)).collect())
    }
}
