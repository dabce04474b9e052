//! Stores in memory that worlds of the same thread use one after the other: making a schema and preparing every statement
//! anew takes longer than a seed. What the next world gets is as empty as a new one, and checked to be.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use halt_tracker::queue::{Site, Store};
use halt_tracker::vault::Ring;
use rusqlite::{Connection, OpenFlags};

/// What all worlds of a thread share: one ring, since making a key is slower than a seed, and stores that are free again.
struct Shared {
    folder: tempfile::TempDir,
    ring: Ring,
    worlds: u64,
    /// Two handles of each: a run has one, and whoever comes by meanwhile the other.
    free: Vec<[Store; 2]>,
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
    handles: Option<[Store; 2]>,
    files: PathBuf,
}

impl Borrowed {
    pub fn new(site: &Site) -> Self {
        SHARED.with_borrow_mut(|shared| {
            shared.worlds += 1;
            let files = shared.folder.path().join(format!("files-{}", shared.worlds));
            let handles = shared.free.pop().unwrap_or_else(|| {
                // A connection of its own for each handle, as two processes have; the lock of runs is a real one.
                let lock = shared.folder.path().join(format!("run-{}.lock", shared.worlds));
                let name = format!("file:{}?mode=memory&cache=shared", lock.display());
                let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_SHARED_CACHE;
                [(); 2].map(|()| {
                    let conn = Connection::open_with_flags(&name, flags).expect("memory");
                    let store = Store::in_memory(conn, shared.ring.clone(), site).expect("a store");
                    store.with_run_lock(lock.clone())
                })
            });
            Self { handles: Some(handles.map(|store| store.with_files_in(files.clone()))), files }
        })
    }

    /// Both handles, and the folder for sealed files.
    pub fn both(&mut self) -> (&mut Store, &mut Store, &Path) {
        let [one, other] = self.handles.as_mut().expect("until it is given back");
        (one, other, &self.files)
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
        &self.handles.as_ref().expect("until it is given back")[0]
    }
}

impl DerefMut for Borrowed {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.handles.as_mut().expect("until it is given back")[0]
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.files);
        let handles = self.handles.take();
        // A test that failed, or one that made keys, leaves a store that nobody else should get.
        let as_made =
            |handles: &[Store; 2]| !std::thread::panicking() && handles.iter().all(|one| one.ring().ids().len() == 1);
        if let Some(mut handles) = handles.filter(as_made) {
            handles.iter_mut().for_each(Store::clean_up_after_abort);
            empty(handles[0].connection());
            let _ = SHARED.try_with(|shared| shared.borrow_mut().free.push(handles));
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
