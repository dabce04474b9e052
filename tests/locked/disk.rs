//! Looks for words in the clear, whatever way they may have been written down, and for sealed bytes that should be gone.
//! It only reads, and databases only as copies.

use crate::site::Site;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use halt_tracker::vault::{Aad, Ring};
use rusqlite::types::ValueRef;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A word as it may stand somewhere: as it is, in hex, in base64 at each of its three places.
fn written(word: &str) -> Vec<String> {
    let mut ways = vec![word.to_owned(), crate::draft::hex(word.as_bytes()), crate::stack::http::percent(word)];
    for before in 0..3 {
        let mut bytes = vec![b'x'; before];
        bytes.extend_from_slice(word.as_bytes());
        let text = STANDARD_NO_PAD.encode(&bytes);
        // The letters at both ends also depend on the neighbours.
        ways.push(text[[0, 2, 3][before]..text.len() - 2].to_owned());
    }
    ways.sort();
    ways.dedup();
    ways
}

/// Every place below a folder where one of the words stands, letter case aside.
pub fn on_disk(folder: &Path, words: &[&str]) -> Vec<String> {
    assert!(folder.exists(), "{}", folder.display());
    let patterns: Vec<String> = words.iter().flat_map(|word| written(word)).collect();
    let mut grep = Command::new("grep")
        .env("LC_ALL", "C")
        .args(["-raoiF", "-f", "-"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("grep");
    grep.stdin.take().expect("a pipe").write_all(patterns.join("\n").as_bytes()).expect("written");
    let found = grep.wait_with_output().expect("searched").stdout;
    let lines: BTreeSet<String> = String::from_utf8_lossy(&found).lines().map(str::to_owned).collect();
    lines.into_iter().collect()
}

pub fn in_text<'a>(text: &str, words: &[&'a str]) -> Vec<&'a str> {
    let text = text.to_lowercase();
    let stands = |word: &&&str| written(word).iter().any(|way| text.contains(&way.to_lowercase()));
    words.iter().filter(stands).copied().collect()
}

/// The data folder and the key file of a site.
pub fn places(site: &Site) -> (PathBuf, PathBuf) {
    let said = site.php("echo Places::known_data_dir(), \"\\n\", Places::known_key_file();");
    let (data, key) = said.split_once('\n').expect("two paths");
    (PathBuf::from(data), PathBuf::from(key))
}

/// A store as it lies on disk at this moment.
pub struct Copy {
    folder: tempfile::TempDir,
    ring: Ring,
}

impl Copy {
    pub fn of(site: &Site) -> Copy {
        let (data, key) = places(site);
        let folder = tempfile::tempdir().expect("a folder");
        let done = Command::new("cp").arg("-a").arg(&data).arg(folder.path().join("data")).status().expect("cp");
        assert!(done.success());
        let ring = Ring::open(&key).expect("a key file").expect("a key");
        Copy { folder, ring }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The whole of every file, the WAL among them.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut out = Vec::new();
        let mut folders = vec![self.path()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("listed").flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    out.push((entry.path(), std::fs::read(entry.path()).expect("read")));
                }
            }
        }
        out
    }

    /// Every value of every table: `table.column`, its bytes, whether they are a blob.
    fn values(&self) -> Vec<(String, Vec<u8>, bool)> {
        let file =
            self.files().into_iter().find(|(_, bytes)| bytes.starts_with(b"SQLite format 3\0")).expect("a store");
        // Opened beside its WAL, in a folder of its own, so that the copy itself stays as it was.
        let beside = tempfile::tempdir().expect("a folder");
        for suffix in ["", "-wal"] {
            let from = PathBuf::from(format!("{}{suffix}", file.0.display()));
            if from.is_file() {
                std::fs::copy(&from, beside.path().join(format!("s.db{suffix}"))).expect("copied");
            }
        }
        let store = rusqlite::Connection::open(beside.path().join("s.db")).expect("opened");
        let names: Vec<String> = store
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
            .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
            .expect("tables");
        let mut out = Vec::new();
        for name in names {
            let mut all = store.prepare(&format!("SELECT * FROM \"{name}\"")).expect("a table");
            let columns: Vec<String> = all.column_names().map(str::to_owned).collect();
            let mut rows = all.query([]).expect("rows");
            while let Some(row) = rows.next().expect("a row") {
                for (at, column) in columns.iter().enumerate() {
                    match row.get_ref(at).expect("a value") {
                        ValueRef::Text(text) => out.push((format!("{name}.{column}"), text.to_vec(), false)),
                        ValueRef::Blob(blob) => out.push((format!("{name}.{column}"), blob.to_vec(), true)),
                        _ => {}
                    }
                }
            }
        }
        out
    }

    /// Everything that the key ring opens, and every plain text: where it stands and what it says.
    pub fn opened(&self, ids: &[String]) -> Vec<(String, String)> {
        const COLUMNS: [&str; 7] = ["payload", "plan", "message", "step", "journal", "file", "detail"];
        let mut out = Vec::new();
        for (place, bytes, sealed) in self.values() {
            if !sealed {
                out.push((place, String::from_utf8_lossy(&bytes).into_owned()));
                continue;
            }
            for (id, column) in ids.iter().flat_map(|id| COLUMNS.map(|column| (id, column))) {
                if let Ok(plain) = self.ring.unseal(&Aad { row: id, column }, &bytes) {
                    out.push((format!("{place} of {id}"), String::from_utf8_lossy(&plain).into_owned()));
                }
            }
        }
        for (path, bytes) in self.files().iter().filter(|(_, bytes)| bytes.starts_with(b"HTF1")) {
            for id in ids {
                let Ok(mut reader) = halt_tracker::vault::file::SealedReader::open(&self.ring, path, id) else {
                    continue;
                };
                let mut plain = vec![0; usize::try_from(reader.size()).expect("a small file")];
                let read = reader.read_at(0, &mut plain).unwrap_or(0);
                out.push((
                    format!("a file of {} bytes of {id}", bytes.len()),
                    String::from_utf8_lossy(&plain[..read]).into_owned(),
                ));
            }
        }
        out
    }

    /// Pieces of everything sealed for these submissions, by which it is found again wherever it lies.
    pub fn pieces(&self, ids: &[String]) -> BTreeSet<Vec<u8>> {
        let opens = |bytes: &[u8]| {
            let columns = ["payload", "plan", "message", "step", "journal", "file", "detail"];
            ids.iter().any(|id| columns.iter().any(|column| self.ring.unseal(&Aad { row: id, column }, bytes).is_ok()))
        };
        let mut out = BTreeSet::new();
        for (_, bytes, _) in
            self.values().into_iter().filter(|(_, bytes, sealed)| *sealed && bytes.len() >= 64 && opens(bytes))
        {
            // The head names the key and is alike in all; the end lies on the last of a row's pages.
            out.insert(bytes[32..56].to_vec());
            out.insert(bytes[bytes.len() - 24..].to_vec());
        }
        for (path, bytes) in self.files().into_iter().filter(|(_, bytes)| bytes.starts_with(b"HTF1")) {
            if ids.iter().any(|id| halt_tracker::vault::file::SealedReader::open(&self.ring, &path, id).is_ok()) {
                out.insert(bytes[40..64].to_vec());
            }
        }
        out
    }

    /// How many of the pieces lie anywhere in the folder, a freed page or the WAL included, and in which files.
    pub fn still_there(&self, pieces: &BTreeSet<Vec<u8>>) -> (usize, BTreeSet<String>) {
        let (mut count, mut names) = (0, BTreeSet::new());
        let files = self.files();
        for piece in pieces {
            let holds = |bytes: &[u8]| bytes.windows(piece.len()).any(|part| part == piece.as_slice());
            let within: Vec<&PathBuf> = files.iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path).collect();
            count += usize::from(!within.is_empty());
            names.extend(
                within.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()),
            );
        }
        (count, names)
    }
}
