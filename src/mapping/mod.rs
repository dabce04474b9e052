//! The mapping language: from the fields of a submission to Tracker's members. It sends nothing and stores
//! nothing; the catalogue of `tracker` says which members there are.
//!
//! - [`language`]: a mapping's JSON and where its values come from. [`profile`]: which mapping a form uses.
//! - [`apply`]: a submission through a mapping. [`convert`]: to the types that Tracker declares. [`brought`]: the same in words.
//! - [`check`]: what is wrong with settings, before they are saved. [`template`]: activity texts.

mod apply;
mod brought;
mod check;
mod convert;
pub mod language;
mod profile;
pub mod template;

pub use apply::{Mapped, apply};
pub use brought::brought;
pub use check::{Problem, check};
pub use profile::{Mode, Profile, profile};

use crate::codes::{Code, Coded};

/// What can be wrong with a mapping or with a submission under it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Text that is not JSON.
    #[error("line {line}, column {column}: {words}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        words: String,
    },
    /// JSON of another shape.
    #[error("{0}")]
    Shape(String),
    /// A value that does not fit its field.
    #[error("{field}: {words}")]
    Convert {
        /// Tracker's field.
        field: String,
        /// What does not fit; never the value itself.
        words: String,
    },
}

impl Coded for MapError {
    fn code(&self) -> Code {
        match self {
            Self::Json { .. } => Code::MapJson,
            Self::Shape(_) => Code::MapShape,
            Self::Convert { .. } => Code::MapConvert,
        }
    }
}
