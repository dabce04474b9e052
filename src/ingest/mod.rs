//! Checks and parses what arrives, before anything is stored: the webhook's envelope, its strict JSON, a form's
//! keys, and files. It stores nothing itself and knows no PHP.
//!
//! - [`signature`]: whether a webhook request is who it says. [`json`]: strict JSON, read in passing.
//! - [`body`]: the webhook's documented body. [`form`]: a form as the plugin hands it over.
//! - [`earlier`]: a row of the earlier plugin's table.
//! - [`files`]: whether a file is what its name says; `archive`: a document that is a ZIP archive. [`uploads`]: files that an
//!   upload add-on laid down.

mod archive;
pub mod body;
pub mod earlier;
pub mod files;
pub mod form;
pub mod json;
pub mod signature;
pub mod uploads;

use crate::codes::{Code, Coded};
use crate::vault::VaultError;

/// Why something is not taken.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// A reason that its code says all about.
    #[error("{}", .0.entry().what)]
    Plain(Code),
    /// A body that is no strict JSON.
    #[error("line {line}, column {column}: {words}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong there.
        words: String,
    },
    /// A body of another shape, or a form that the plugin wrote wrongly.
    #[error("{1}")]
    Shape(Code, String),
    /// Sealing failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl IngestError {
    /// An error of a code.
    pub const fn plain(code: Code) -> Self {
        Self::Plain(code)
    }

    /// A failure of the vault.
    pub const fn vault(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl Coded for IngestError {
    fn code(&self) -> Code {
        match self {
            Self::Plain(code) | Self::Shape(code, _) => *code,
            Self::Json { .. } => Code::WebhookJson,
            Self::Vault(error) => error.code(),
        }
    }
}
