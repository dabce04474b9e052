//! The business actions that WordPress may call, one function each: JSON in, JSON out, no PHP.
//! `php` passes them on; nothing else is public to it. They open the store, call the parts and shape answers.
//!
//! - [`take`]: a form is accepted. [`webhook`]: a POST is answered.
//! - [`adopt`]: a form that was kept without the engine is taken over; [`parts`]: its large pieces on the way.
//! - [`earlier`]: what the earlier plugin held comes over.
//! - [`deliver`]: a run, a connection test. [`show`]: what screens show; [`preview`]: what would be sent.
//! - [`manage`]: what people do; [`trial`]: the marked test that they can send.
//! - [`erasures`]: who was erased, kept on both sides. [`handles`]: open stores by process and folder.
//! - [`fault`]: what becomes of a panic.

pub mod adopt;
pub mod deliver;
pub mod earlier;
pub mod erasures;
pub mod fault;
pub mod handles;
pub mod manage;
pub mod parts;
pub mod preview;
pub mod show;
pub mod take;
pub mod trial;
pub mod webhook;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::codes::{Code, Coded};
use crate::queue::{QueueError, Site, Store};
use crate::settings::{SettingError, Settings};

/// The version of this interface: WordPress compares it before it calls anything else.
pub const API: &str = "1.0";

/// A failed action: its stable code, and words for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}{}", code.entry().what, if words.is_empty() { String::new() } else { format!(" ({words})") })]
pub struct EngineError {
    /// The code.
    pub code: Code,
    /// What helps to find the cause; never a value of a submission, never a secret.
    pub words: String,
}

impl EngineError {
    /// An error of a code.
    pub fn new(code: Code, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }
}

impl Coded for EngineError {
    fn code(&self) -> Code {
        self.code
    }
}

macro_rules! from_coded {
    ($($error:ty),+) => {$(
        impl From<$error> for EngineError {
            fn from(error: $error) -> Self {
                Self { code: error.code(), words: error.to_string() }
            }
        }
    )+};
}
from_coded!(QueueError, SettingError, crate::vault::VaultError, crate::ingest::IngestError, crate::mapping::MapError);

/// What every call that touches a store brings along.
#[derive(Debug)]
pub struct Call {
    /// The data directory.
    pub dir: PathBuf,
    /// The calling site.
    pub site: Site,
    /// Its settings.
    pub settings: Settings,
}

impl Call {
    /// Reads the three arguments that every store call begins with.
    ///
    /// # Errors
    /// `HT-1005` when one is not what the plugin sends, `HT-1406` for a setting's value.
    pub fn read(dir: &[u8], site: &[u8], settings: &[u8]) -> Result<Self, EngineError> {
        use std::os::unix::ffi::OsStrExt;
        let dir = PathBuf::from(std::ffi::OsStr::from_bytes(dir));
        if !dir.is_absolute() {
            return Err(EngineError::new(Code::BadCall, "the data directory is not absolute"));
        }
        let site: Site = read_json(site, "site")?;
        if site.install_id.len() < 16 {
            return Err(EngineError::new(Code::BadCall, "the install id is missing"));
        }
        let text =
            std::str::from_utf8(settings).map_err(|_| EngineError::new(Code::BadCall, "settings are not UTF-8"))?;
        let call = Self { dir, site, settings: Settings::parse(text)? };
        call.heed_open_basedir()?;
        Ok(call)
    }

    /// Native code is not bound by PHP's `open_basedir`; it heeds it all the same, and says so.
    fn heed_open_basedir(&self) -> Result<(), EngineError> {
        let allowed = self.settings.surrounding("open_basedir").and_then(Value::as_str).unwrap_or_default();
        let inside = |path: &Path| {
            let folders = allowed.split(':').filter(|folder| !folder.is_empty());
            folders.map(|folder| real(Path::new(folder))).any(|folder| real(path).starts_with(folder))
        };
        if allowed.is_empty() || (inside(&self.dir) && inside(&self.key_file())) {
            return Ok(());
        }
        Err(EngineError::new(Code::StoreBasedir, self.dir.display().to_string()))
    }

    /// Where the first key lies: beside the store unless the site says otherwise.
    pub fn key_file(&self) -> PathBuf {
        let named = self.settings.surrounding("key_file").and_then(Value::as_str).filter(|path| !path.is_empty());
        named.map_or_else(|| self.dir.join("key.php"), |path| Path::new(path).to_owned())
    }

    /// Runs an action on the site's open store, and adds what the site has to remember.
    ///
    /// # Errors
    /// The store's when it cannot be opened, else the action's.
    pub fn with_store(
        &self,
        action: impl FnOnce(&mut Store) -> Result<Value, EngineError>,
    ) -> Result<Value, EngineError> {
        handles::with_store(self, |store| {
            let mut answer = action(store)?;
            if store.remember
                && let Some(object) = answer.as_object_mut()
            {
                let counter = store.fact("counter")?;
                let keys = show::keys(store.ring());
                object
                    .insert("site".into(), json!({ "epoch": store.meta("epoch")?, "counter": counter, "keys": keys }));
            }
            Ok(answer)
        })
    }
}

/// A path without links, also where its end does not exist yet.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if parent != Path::new("") => real(parent).join(name),
        _ => path.to_owned(),
    })
}

/// Reads a JSON argument of the plugin.
pub(crate) fn read_json<T: DeserializeOwned>(json: &[u8], what: &str) -> Result<T, EngineError> {
    serde_json::from_slice(json).map_err(|error| EngineError::new(Code::BadCall, format!("{what}: {error}")))
}

/// What the engine says about itself.
pub fn version() -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "api": API,
        "revision": option_env!("HALT_TRACKER_REVISION").unwrap_or("unknown"),
        "sqlite": rusqlite::version(),
        "arch": std::env::consts::ARCH,
    })
}
