//! What can go wrong with the store, each with its code.

use std::io;

use rusqlite::ErrorCode;

use crate::codes::{Code, Coded};
use crate::vault::{VaultError, place};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A failure that its code says all about.
    #[error("{0}")]
    Plain(Code, String),
    /// The operating system refused.
    #[error("{1}: {0}")]
    Io(#[source] io::Error, String),
    /// SQLite refused.
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Keys or sealing failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl QueueError {
    /// An error of a code, with words for the log.
    pub fn plain(code: Code, words: impl Into<String>) -> Self {
        Self::Plain(code, words.into())
    }

    /// An operating-system error, and what was being done.
    pub fn io(error: io::Error, doing: impl Into<String>) -> Self {
        Self::Io(error, doing.into())
    }
}

impl Coded for QueueError {
    fn code(&self) -> Code {
        match self {
            Self::Plain(code, _) => *code,
            Self::Io(error, _) => place::code_of_io(error),
            Self::Sqlite(error) => code_of_sqlite(error),
            Self::Vault(error) => error.code(),
        }
    }
}

fn code_of_sqlite(error: &rusqlite::Error) -> Code {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Code::StoreFull,
        Some(ErrorCode::ReadOnly) => Code::StoreReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Code::StoreBusy,
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Code::StoreNotWritable,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Code::StoreDamaged,
        Some(ErrorCode::SystemIoFailure) => Code::StoreIo,
        _ => Code::EngineFault,
    }
}
