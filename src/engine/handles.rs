//! Open stores, by process and data directory. One PHP worker may serve many sites, and a fork child must
//! not touch what its parent opened.

use std::cell::RefCell;
use std::path::PathBuf;

use super::{Call, EngineError};
use crate::queue::Store;
use crate::queue::lock::RunSlot;

/// Stores that stay open in one process.
const MOST: usize = 8;

struct Handle {
    pid: u32,
    dir: PathBuf,
    key_file: PathBuf,
    install_id: String,
    home: String,
    store: Store,
}

thread_local! {
    // Thread-local covers PHP built with threads: a connection never changes its thread.
    static OPEN: RefCell<Vec<Handle>> = const { RefCell::new(Vec::new()) };
    // Where the last call had the lock of its run. PHP makes one call at a time: a lock that still lies here when the next
    // one begins was left by a call that PHP has jumped out of.
    static LAST_RUN: RefCell<Option<RunSlot>> = const { RefCell::new(None) };
}

/// Runs an action on the store of a call, opening it first if need be.
///
/// # Errors
/// The store's when it cannot be opened, else the action's.
pub fn with_store<T>(call: &Call, action: impl FnOnce(&mut Store) -> Result<T, EngineError>) -> Result<T, EngineError> {
    if let Some(left_over) = LAST_RUN.take() {
        left_over.free();
    }
    // Taken out while it is in use: a call that PHP jumps out of leaves no borrow behind. Its handle is lost with its frames,
    // which hold no transaction and no other lock at any place from which a jump could come.
    let mut handle = match take(call) {
        Some(handle) => handle,
        None => open(call)?,
    };
    LAST_RUN.set(Some(handle.store.run_lock.clone()));
    handle.store.clean_up_after_abort();
    handle.store.heed_key_folder()?;
    let result = action(&mut handle.store);
    if handle.store.is_sound() {
        OPEN.with_borrow_mut(|open| {
            open.insert(0, handle);
            open.truncate(MOST);
        });
    } else {
        handle.store.give_up();
    }
    result
}

/// Closes every store of this process, so that a copy of the files is complete.
pub fn close_all() {
    forget_strangers();
    OPEN.with_borrow_mut(Vec::clear);
}

fn take(call: &Call) -> Option<Handle> {
    forget_strangers();
    OPEN.with_borrow_mut(|open| {
        let at = open.iter().position(|handle| {
            handle.dir == call.dir
                && handle.key_file == call.key_file()
                && handle.install_id == call.site.install_id
                && handle.home == call.site.home
        })?;
        let mut handle = open.remove(at);
        // Replaced or deleted files: the old handle would write into nowhere.
        let usable = handle.store.is_sound();
        if !usable {
            handle.store.give_up();
        }
        handle.store.remember = call.site.epoch.is_empty();
        usable.then_some(handle)
    })
}

/// After a fork, the parent's handles are forgotten, not dropped: dropping would close what the parent uses.
fn forget_strangers() {
    let pid = std::process::id();
    OPEN.with_borrow_mut(|open| {
        if open.iter().any(|handle| handle.pid != pid) {
            std::mem::take(open).into_iter().for_each(std::mem::forget);
        }
    });
}

fn open(call: &Call) -> Result<Handle, EngineError> {
    let key_file = call.key_file();
    let store = Store::open(&call.dir, &key_file, &call.site)?;
    Ok(Handle {
        pid: std::process::id(),
        dir: call.dir.clone(),
        key_file,
        install_id: call.site.install_id.clone(),
        home: call.site.home.clone(),
        store,
    })
}
