//! Keys, and sealing of everything that lies on disk: payloads, credentials, tokens, words, files.
//! It keeps keys out of the store and the store's content out of anybody's reach who has only the store.
//!
//! - [`ring`]: the keys, and what is sealed with them; `key_file`: their files. [`file`]: files in sealed chunks.
//! - [`place`]: whether a folder may hold a store at all.
//!
//! Sealed values are `[1][key id, 8][nonce, 24][ciphertext and tag]` under XChaCha20-Poly1305, with row, column and
//! key id as associated data: a value copied into another row or column, or said to be of another key, does not open.

pub mod file;
mod key_file;
pub mod place;
pub mod ring;

use std::io;

pub use ring::Ring;

use crate::codes::{Code, Coded};

/// Where a sealed value belongs.
#[derive(Debug, Clone, Copy)]
pub struct Aad<'a> {
    /// The row: a submission's id; for credentials and tokens the site's id and their name.
    pub row: &'a str,
    /// The column.
    pub column: &'a str,
}

impl Aad<'_> {
    /// All parts, so that no two places give the same bytes.
    fn bytes(&self, key_id: &[u8]) -> Vec<u8> {
        let mut bytes = format!("{}\0{}\0", self.row, self.column).into_bytes();
        bytes.extend_from_slice(key_id);
        bytes
    }
}

/// What can go wrong with keys and sealed things.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A key that is not in the ring; its id.
    #[error("sealed under key {0}, which is not in the ring")]
    UnknownKey(String),
    /// Changed, cut, or moved to another row.
    #[error("sealed data does not open")]
    Unseal,
    /// A key file that is there and cannot be used.
    #[error("key file: {0}")]
    KeyFile(String),
    /// The system gave no randomness.
    #[error("no randomness")]
    Random,
    /// The operating system refused.
    #[error("{1}: {0}")]
    Io(#[source] io::Error, String),
}

impl VaultError {
    fn io(error: io::Error, path: &std::path::Path) -> Self {
        Self::Io(error, path.display().to_string())
    }
}

impl Coded for VaultError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownKey(_) => Code::KeyUnknown,
            Self::Unseal => Code::UnsealFailed,
            Self::KeyFile(_) => Code::KeyUnreadable,
            Self::Random => Code::KeyRandom,
            Self::Io(error, _) => place::code_of_io(error),
        }
    }
}

/// Fills bytes from the system.
fn random(out: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(out).map_err(|_| VaultError::Random)
}
