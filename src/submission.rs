//! What came in: one submission of a form or one webhook POST, as every later part sees it.
//! It knows neither how it arrived (that is `ingest`) nor where it is kept (that is `queue`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a submission came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A Divi form, through WordPress' hook.
    Divi,
    /// The signed webhook.
    Webhook,
    /// The table of the earlier plugin.
    Legacy,
    /// A marked test that a person sent from the pages.
    Test,
}

impl Source {
    /// The name in the store and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Divi => "divi",
            Self::Webhook => "webhook",
            Self::Legacy => "legacy",
            Self::Test => "test",
        }
    }
}

/// The form that was filled in, under all the names it goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Form {
    /// The name for people and for `{{form_id}}`: the CSS id where one is set, else Divi's own id.
    pub id: String,
    /// The one stable key: Divi's UUID, else `post:form`; for a webhook its `form_id`.
    pub key: String,
    /// Every other name under which settings may speak of it, the most specific first.
    pub aliases: Vec<String>,
    /// The title that the administrator gave it, if any.
    pub title: String,
}

/// A submission: the values exactly as they were typed, and the names of its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The id that the caller made before anything was stored (UUID, lower case).
    pub id: String,
    /// Where it came from.
    pub source: Source,
    /// Receipt, milliseconds since 1970 UTC.
    pub received_at: i64,
    /// Receipt for people: ISO 8601 in the site's zone, with offset. Feeds `{{timestamp}}`.
    #[serde(default)]
    pub timestamp: String,
    /// The form.
    pub form: Form,
    /// The values by field, in the form's order. From Divi they are strings; from a webhook any JSON.
    pub fields: Map<String, Value>,
    /// What the visitor saw beside each field. Hostile text: Divi 4 takes it from the browser.
    #[serde(default)]
    pub labels: Map<String, Value>,
    /// What surrounds the submission: page, campaign parameters, locale.
    #[serde(default)]
    pub meta: Map<String, Value>,
}

/// A file of a submission; its bytes lie sealed in the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// Its place in the submission, from 1.
    pub ordinal: u32,
    /// The form field it came from.
    pub field: String,
    /// A name that is safe to show and to send.
    pub name: String,
    /// The media type that the name's extension stands for.
    pub mime: String,
    /// Bytes before sealing.
    pub size: u64,
    /// The sealed file's name inside the data directory's `files` folder; empty when only the name was kept.
    pub stored: String,
    /// Why it is not sent, if it was refused (`HT-17xx`); 0 when it is fine.
    #[serde(default)]
    pub refused: u16,
}

impl FilePart {
    /// The same file as one of which only the name is kept.
    #[must_use]
    pub fn refused_for(&self, code: u16) -> Self {
        let (field, name) = (self.field.clone(), self.name.clone());
        Self { ordinal: self.ordinal, field, name, mime: String::new(), size: 0, stored: String::new(), refused: code }
    }
}
