//! The activity of a record: its texts, and what it says of a person who was there already.

use serde_json::{Value, json};

use super::plan::Planned;

/// The activity of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityText {
    /// Its subject.
    pub subject: String,
    /// Its body.
    pub notes: String,
    /// The name or id of its type, or empty.
    pub kind: String,
    /// What the form brought, in words: part of the note where the record was there already.
    pub brought: String,
    /// Whether it is logged only then.
    pub only_if_found: bool,
}

impl ActivityText {
    /// Gives a step what it needs to know of a record that was there already.
    pub(super) fn tell(&self, logged: &mut Planned, marker: &str) {
        let parts = [self.notes.as_str(), &self.brought];
        let both = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        logged.note_if_found = (!self.brought.is_empty()).then(|| marked_note(&both, marker));
        logged.only_if_found = self.only_if_found;
    }
}

/// A note, with the mark by which it is found again.
pub(super) fn marked_note(notes: &str, marker: &str) -> String {
    format!("{notes}\n[{marker}]")
}

/// ASSUMPTION U11: ids are tenant data; a name goes along as a name.
pub(super) fn activity_kind(kind: &str) -> Option<Value> {
    let kind = kind.trim();
    match kind.parse::<i64>() {
        Ok(id) => Some(json!({ "id": id })),
        Err(_) if kind.is_empty() => None,
        Err(_) => Some(json!({ "name": kind })),
    }
}
