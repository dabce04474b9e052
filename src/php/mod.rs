//! The binding: the only place that knows PHP. It passes strings to `engine` and turns its errors into
//! exceptions; it decides nothing. What PHP sees is one class with one static method per business action.
//!
//! Module start registers names and does nothing else: no thread, no file, no allocation that lasts. All
//! else is opened in the worker at the first call (see `engine::handles`).

use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::binary::Binary;
use ext_php_rs::binary_slice::BinarySlice;
use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::exception::{PhpException, PhpResult};
use ext_php_rs::prelude::*;
use ext_php_rs::zend::{ClassEntry, ModuleEntry, ce};
use ext_php_rs::{info_table_end, info_table_row, info_table_start};
use serde_json::Value;

use crate::codes::Coded;
use crate::engine::{self, Call, EngineError, adopt, deliver, manage, preview, show, take};

/// The engine behind the WordPress plugin. Arguments and results are JSON unless said otherwise.
#[php_class]
#[php(name = "Halt\\Tracker\\Engine")]
#[php(flags = ext_php_rs::flags::ClassFlags::Final)]
pub struct Engine;

type Bytes<'a> = BinarySlice<'a, u8>;

#[php_impl]
impl Engine {
    /// Version, interface number, revision and SQLite version. Touches no store.
    #[php(name = "version")]
    pub fn version() -> PhpResult<String> {
        guard(|| Ok(about()))
    }

    /// Accepts a form. Throws when it was not stored; then the caller keeps the form itself.
    #[php(name = "accept")]
    pub fn accept(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>, submission: Bytes<'_>) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| take::accept(call, &submission))
    }

    /// Answers a webhook POST: status, headers and body. `body` is the raw request body.
    #[php(name = "ingest")]
    pub fn ingest(
        dir: Bytes<'_>,
        site: Bytes<'_>,
        settings: Bytes<'_>,
        request: Bytes<'_>,
        body: Bytes<'_>,
    ) -> PhpResult<String> {
        guard(|| Ok(engine::webhook::ingest(&dir, &site, &settings, &request, &body)))
    }

    /// Takes over a form that was kept without the engine, one row a call. `sealed` is raw bytes.
    #[php(name = "adopt")]
    pub fn adopt(
        dir: Bytes<'_>,
        site: Bytes<'_>,
        settings: Bytes<'_>,
        row: Bytes<'_>,
        sealed: Bytes<'_>,
    ) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| adopt::adopt(call, &row, &sealed))
    }

    /// Delivers what is due, within a time budget.
    #[php(name = "run")]
    pub fn run(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>, options: Bytes<'_>) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| deliver::run(call, &options))
    }

    /// Everything that the Dashboard shows.
    #[php(name = "status")]
    pub fn status(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>) -> PhpResult<String> {
        stored(&dir, &site, &settings, show::status)
    }

    /// One page of submissions.
    #[php(name = "list")]
    pub fn list(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>, query: Bytes<'_>) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| show::list(call, &query))
    }

    /// Everything about one submission.
    #[php(name = "get")]
    pub fn get(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>, id: &str) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| show::get(call, id))
    }

    /// Does what a person asks for: retry, discard, release, pause, resume, …
    #[php(name = "act")]
    pub fn act(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>, action: Bytes<'_>) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| manage::act(call, &action))
    }

    /// Saves a secret; it is never given back.
    #[php(name = "saveSecret")]
    pub fn save_secret(
        dir: Bytes<'_>,
        site: Bytes<'_>,
        settings: Bytes<'_>,
        name: &str,
        value: &str,
    ) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| manage::save_secret(call, name, value))
    }

    /// Checks settings; touches no store.
    #[php(name = "check")]
    pub fn check(settings: Bytes<'_>) -> PhpResult<String> {
        guard(|| manage::check(&settings).map(|value| value.to_string()))
    }

    /// What would be sent for a submission.
    #[php(name = "preview")]
    pub fn preview(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>, query: Bytes<'_>) -> PhpResult<String> {
        stored(&dir, &site, &settings, |call| preview::preview(call, &query))
    }

    /// Asks Tracker whether the credentials work.
    #[php(name = "testConnection")]
    pub fn test_connection(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>) -> PhpResult<String> {
        stored(&dir, &site, &settings, deliver::test_connection)
    }

    /// The raw bytes of a stored file.
    #[php(name = "file")]
    pub fn file(dir: Bytes<'_>, site: Bytes<'_>, settings: Bytes<'_>, id: &str, ordinal: i64) -> PhpResult<Binary<u8>> {
        guard(|| {
            let call = read(&dir, &site, &settings)?;
            show::file(&call, id, u32::try_from(ordinal).unwrap_or_default()).map(Binary::from)
        })
    }
}

/// Reads the arguments of a store call, runs it, and gives its answer as JSON text.
fn stored(
    dir: &[u8],
    site: &[u8],
    settings: &[u8],
    action: impl FnOnce(&Call) -> Result<Value, EngineError>,
) -> PhpResult<String> {
    guard(|| {
        let call = read(dir, site, settings)?;
        action(&call).map(|value| value.to_string())
    })
}

fn read(dir: &[u8], site: &[u8], settings: &[u8]) -> Result<Call, EngineError> {
    let call = Call::read(dir, site, settings)?;
    Ok(call)
}

/// No panic crosses into PHP: it becomes an exception with a code of its own.
fn guard<T>(action: impl FnOnce() -> Result<T, EngineError>) -> PhpResult<T> {
    engine::fault::guarded(action).map_err(|error| thrown(&error))
}

fn thrown(error: &EngineError) -> PhpException {
    let kept = EXCEPTION.load(Ordering::Acquire);
    // SAFETY: the pointer is null or the entry that PHP gave at module start; it lives as long as the module.
    let class = unsafe { kept.as_ref() }.unwrap_or_else(|| ce::exception());
    PhpException::new(error.to_string(), i32::from(error.code().number()), class)
}

fn about() -> String {
    let mut about = engine::version();
    if let Some(object) = about.as_object_mut() {
        object.insert("zts".into(), Value::Bool(cfg!(php_zts)));
        object.insert("libc".into(), Value::from(if cfg!(target_env = "musl") { "musl" } else { "glibc" }));
    }
    about.to_string()
}

/// What `phpinfo()` shows: nothing of any site.
extern "C" fn module_info(_module: *mut ModuleEntry) {
    let about = engine::version();
    let text = |name: &str| about.get(name).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    info_table_start!();
    info_table_row!("Halt Tracker", "enabled");
    info_table_row!("Version", text("version"));
    info_table_row!("Interface", text("api"));
    info_table_row!("Revision", text("revision"));
    info_table_row!("SQLite", text("sqlite"));
    info_table_end!();
}

/// `Halt\Tracker\Exception`, raised by every failed call; `getCode()` is the number of the stable code. It is a plain
/// subclass without state of ours, so that PHP fills in file and line, and anybody can make one.
static EXCEPTION: AtomicPtr<ClassEntry> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn module_start(_kind: i32, _module: i32) -> i32 {
    let class = ClassBuilder::new("Halt\\Tracker\\Exception").extends((ce::exception, "\\Exception"));
    let kept = class.registration(|entry, methods| {
        EXCEPTION.store(entry, Ordering::Release);
        // PHP borrows the tables of methods for the life of the process; there are none of ours.
        std::mem::forget(methods);
    });
    -i32::from(kept.register().is_err())
}

/// What PHP loads.
#[php_module]
#[php(startup = module_start)]
pub fn get_module(module: ModuleBuilder) -> ModuleBuilder {
    module.name("halt_tracker").info_function(module_info).class::<Engine>()
}
