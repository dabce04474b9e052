//! Stores in memory that worlds of the same thread use one after the other: making a schema and preparing every statement
//! anew takes longer than a seed. What the next world gets is as empty as a new one, and checked to be.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use halt_tracker::queue::{Site, Store};
use halt_tracker::vault::Ring;
use rusqlite::Connection;

/// What all worlds of a thread share: one ring, since making a key is slower than a seed, and stores that are free again.
struct Shared {
    folder: tempfile::TempDir,
    ring: Ring,
    worlds: u64,
    free: Vec<Store>,
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::new(Shared::new());
}

impl Shared {
    fn new() -> Self {
        // SQLite takes and gives back pages for each statement that sorts or gathers: the C library need not ask the kernel
        // for them each time.
        // SAFETY: a setting of the allocator, which takes any number.
        unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, 256 << 20) };
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        let ring = Ring::create(&folder.path().join("key.php")).expect("a ring");
        Self { folder, ring, worlds: 0, free: Vec::new() }
    }
}

/// A store while a world has it, with a folder of its own for sealed files.
pub struct Borrowed {
    store: Option<Store>,
    files: PathBuf,
}

impl Borrowed {
    pub fn new(site: &Site) -> Self {
        SHARED.with_borrow_mut(|shared| {
            shared.worlds += 1;
            let files = shared.folder.path().join(format!("files-{}", shared.worlds));
            let store = shared.free.pop().unwrap_or_else(|| {
                let conn = Connection::open_in_memory().expect("memory");
                Store::in_memory(conn, shared.ring.clone(), site).expect("a store")
            });
            Self { store: Some(store.with_files_in(files.clone())), files }
        })
    }

    /// The folder of its sealed files; it is there from the first file on.
    pub fn folder(&self) -> &PathBuf {
        if !self.files.is_dir() {
            std::fs::create_dir(&self.files).expect("a folder");
        }
        &self.files
    }
}

impl Deref for Borrowed {
    type Target = Store;
    fn deref(&self) -> &Store {
        self.store.as_ref().expect("until it is given back")
    }
}

impl DerefMut for Borrowed {
    fn deref_mut(&mut self) -> &mut Store {
        self.store.as_mut().expect("until it is given back")
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.files);
        let store = self.store.take();
        // A test that failed, or one that made keys, leaves a store that nobody else should get.
        let as_made = |store: &Store| !std::thread::panicking() && store.ring().ids().len() == 1;
        if let Some(mut store) = store.filter(as_made) {
            store.clean_up_after_abort();
            empty(store.connection());
            let _ = SHARED.try_with(|shared| shared.borrow_mut().free.push(store));
        }
    }
}

/// The facts of a store that nothing has happened to yet.
const BORN_WITH: &str = "'install_id','home','epoch','counter','key','addresses'";

/// Takes everything out that came in since the store was made.
fn empty(conn: &Connection) {
    let attached = "SELECT count(*) FROM pragma_database_list WHERE name = 'copy'";
    if conn.prepare_cached(attached).and_then(|mut sql| sql.query_row([], |row| row.get(0))).unwrap_or(false) {
        conn.execute_batch("DETACH copy").expect("detached");
    }
    let listed = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT IN ('sqlite_stat1','meta')";
    let mut statement = conn.prepare_cached(listed).expect("a statement");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    let tables: Vec<String> = rows.collect::<Result<_, _>>().expect("names");
    let change = |sql: &str| conn.prepare_cached(sql).and_then(|mut sql| sql.execute([])).expect("emptied");
    conn.execute_batch("BEGIN").expect("begun");
    // What refers to another row goes before it.
    for table in tables.iter().rev() {
        change(&format!("DELETE FROM {table}"));
    }
    change(&format!("DELETE FROM meta WHERE name NOT IN ({BORN_WITH})"));
    change("UPDATE meta SET value = '0' WHERE name = 'counter'");
    conn.execute_batch("COMMIT").expect("committed");
}

#[test]
fn a_store_that_was_used_is_as_empty_as_a_new_one() {
    use crate::world::World;
    let everything = |world: &World| -> Vec<String> {
        let conn = world.store.connection();
        let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut names = conn.prepare(sql).expect("a statement");
        let names: Vec<String> =
            names.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("names");
        let of = |name: &String| {
            let mut rows = conn.prepare(&format!("SELECT * FROM {name}")).expect("a statement");
            let many = rows.column_count();
            let text = |row: &rusqlite::Row<'_>| {
                (0..many).map(|at| row.get::<_, rusqlite::types::Value>(at).map(|value| format!("{value:?}"))).collect()
            };
            let rows: Vec<Vec<String>> =
                rows.query_map([], text).expect("rows").collect::<Result<_, _>>().expect("values");
            // Sealed with another nonce each time.
            if name == "secret" { format!("{name} {}", rows.len()) } else { format!("{name} {rows:?}") }
        };
        names.iter().map(of).collect()
    };
    let mut first = World::new(1, serde_json::json!({ "api": "rest" }));
    let new = everything(&first);
    first.documents = 1;
    first.submit(&serde_json::json!({ "name": "Ada Lovelace", "email": "ada@example.org" }));
    first.snapshot();
    first.run_for(30);
    first.restore();
    first.run_for(1);
    let (used, files) = (everything(&first), first.store.folder().clone());
    assert!(used != new && std::fs::read_dir(&files).expect("listed").count() == 1);
    drop(first);
    let second = World::new(1, serde_json::json!({ "api": "rest" }));
    assert_eq!(everything(&second), new, "the same store, with nothing left in it");
    assert!(!files.exists());
}
