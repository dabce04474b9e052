//! Whether anything of a person can be read by whoever gets hold of a store, a sealed file, a list or a report of a run
//! (invariant 8). Every byte is looked at, also of pages that are free again.

use std::io::Write;

use rusqlite::{Connection, ffi};

use crate::case::Case;
use crate::promises::Spoil;

/// What every person of a seed has in common: e-mail, name and CV, of applicants and of whom Tracker knows.
const CANARIES: [&str; 4] = ["@example.org", "Person Number", "the life of", "@other.example"];

fn within(bytes: &[u8]) -> Option<&'static str> {
    CANARIES.into_iter().find(|canary| {
        let canary = canary.as_bytes();
        let first = |(_, byte): &(usize, &u8)| **byte == canary[0];
        bytes.iter().enumerate().filter(first).any(|(at, _)| bytes[at..].starts_with(canary))
    })
}

/// The database as it would lie on disk.
fn image(conn: &Connection) -> Vec<u8> {
    let mut size = 0;
    // SAFETY: the connection is open and ours; what SQLite gives is copied and given back.
    unsafe {
        let bytes = ffi::sqlite3_serialize(conn.handle(), c"main".as_ptr(), &raw mut size, 0);
        assert!(!bytes.is_null(), "no image of the database");
        let copy = std::slice::from_raw_parts(bytes, usize::try_from(size).expect("a size")).to_vec();
        ffi::sqlite3_free(bytes.cast());
        copy
    }
}

/// Everything that is in the clear, in words.
pub fn found(case: &mut Case) -> Vec<String> {
    let world = &mut case.world;
    let mut wrong = Vec::new();
    let mut look = |what: &str, bytes: &[u8]| {
        assert!(!bytes.is_empty(), "{what} is empty");
        wrong.extend(within(bytes).map(|canary| format!("{canary:?} is in the clear in {what}")));
    };
    look("the database", &image(world.store.connection()));
    for entry in std::fs::read_dir(world.store.folder()).expect("listed").flatten() {
        look("a file", &std::fs::read(entry.path()).expect("read"));
    }
    let all = world.store.list(&halt_tracker::queue::view::Query::default()).expect("listed").1;
    look("a list", serde_json::to_string(&all).expect("JSON").as_bytes());
    let heard = world.heard.replace(String::new()).unwrap_or_default();
    // A run that crashed reported nothing.
    look("a report of a run", format!("[{heard}]").as_bytes());
    case.searched += 1;
    wrong
}

/// Lays something in the clear where it must not be.
pub fn spoil(case: &mut Case) {
    let name = case.sent.first().map_or("Person Number0", |sent| sent.name.as_str());
    match case.spoilt {
        Some(Spoil::NameInTheStore) => {
            let sql = "INSERT INTO journal (seq, at, run_id, step, event, code) VALUES (1, 0, '', '', ?1, 0)";
            case.world.store.connection().execute(sql, [name]).expect("written");
        }
        Some(Spoil::CvInAFile) => {
            let path = case.world.store.folder().join("plain.sealed");
            let mut file = std::fs::File::create(path).expect("made");
            file.write_all(crate::arrivals::curriculum("somebody").as_bytes()).expect("written");
        }
        Some(Spoil::NameInAReport) => case.world.heard.get_or_insert_default().push_str(name),
        _ => {}
    }
}
