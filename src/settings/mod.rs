//! The one table of settings: names, types, defaults and help. The plugin's pages, the constants, Site
//! Health, the CLI and docs/reference.md are made from it. Here the values that WordPress hands over are read
//! once and become typed; nobody else parses a setting.

mod table;

use serde_json::{Map, Value};

use crate::codes::{Code, Coded};

pub use table::{DEFAULT_MAP, Kind, Setting, TABLE};

/// The value of a setting is not one that the table allows. Code `HT-1406`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingError {
    /// Name in the table.
    pub setting: String,
    /// What is wrong, in plain words.
    pub problem: String,
}

impl Coded for SettingError {
    fn code(&self) -> Code {
        Code::SettingInvalid
    }
}

/// Tracker's region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// United States.
    Us,
    /// Canada.
    Ca,
    /// The rest of the world.
    Row,
}

/// Which of Tracker's two APIs writes the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// The classic widget API.
    Widget,
    /// REST v1.
    Rest,
}

/// What a submission becomes in Tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum RecordType {
    /// A candidate.
    Resource,
    /// A person at a client.
    Contact,
    /// A sales lead.
    Lead,
}

impl RecordType {
    /// The name as options and Tracker spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resource => "Resource",
            Self::Contact => "Contact",
            Self::Lead => "Lead",
        }
    }

    /// The type of a name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Resource, Self::Contact, Self::Lead]
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// The settings as WordPress handed them over, with the table's defaults behind them.
///
/// The JSON is one object: names of the table (without prefix) to strings, numbers or booleans. Members
/// that the table does not know are what the plugin says about its surroundings; see [`Settings::surrounding`].
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: Map<String, Value>,
}

impl Settings {
    /// Reads the JSON object and checks every value against the table.
    ///
    /// # Errors
    /// [`SettingError`] for the first value that the table does not allow, or when it is not an object.
    pub fn parse(json: &str) -> Result<Self, SettingError> {
        let values = match serde_json::from_str(json) {
            Ok(Value::Object(values)) => values,
            _ => return Err(SettingError { setting: "settings".into(), problem: "not a JSON object".into() }),
        };
        let settings = Self { values };
        for row in TABLE {
            settings.check(row)?;
        }
        Ok(settings)
    }

    /// The text of a setting, or its default. Empty text of a choice or number counts as not set.
    pub fn text(&self, name: &str) -> String {
        let saved = match self.values.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(on)) => Some(if *on { "1" } else { "" }.to_owned()),
            _ => None,
        };
        let row = TABLE.iter().find(|row| row.name == name);
        let default = row.map_or("", |row| row.default);
        match saved {
            Some(text)
                if text.trim().is_empty()
                    && row.is_some_and(|row| matches!(row.kind, Kind::Choice(_) | Kind::Number(..) | Kind::Json)) =>
            {
                default.to_owned()
            }
            Some(text) => text,
            None => default.to_owned(),
        }
    }

    /// A number within its range.
    pub fn number(&self, name: &str) -> i64 {
        self.text(name).trim().parse().unwrap_or_default()
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        !matches!(self.text(name).trim(), "" | "0" | "false")
    }

    /// The region.
    pub fn environment(&self) -> Environment {
        match self.text("environment").trim().to_ascii_lowercase().as_str() {
            "us" => Environment::Us,
            "ca" => Environment::Ca,
            _ => Environment::Row,
        }
    }

    /// The API that writes.
    pub fn api(&self) -> Api {
        if self.text("api").trim().eq_ignore_ascii_case("rest") { Api::Rest } else { Api::Widget }
    }

    /// Whether a person whom Tracker holds already is used, not made a second time.
    pub fn uses_existing(&self) -> bool {
        self.text("duplicates") != "create"
    }

    /// The record type of forms that do not choose their own.
    pub fn record_type(&self) -> RecordType {
        RecordType::from_name(&self.text("record_type")).unwrap_or(RecordType::Resource)
    }

    /// What the plugin says beyond the table: `key_file`, `ca_file`, `oauth_url`, `api_url`, `proxy`,
    /// `blocked_hosts`, `paused`, `constants`.
    pub fn surrounding(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    fn check(&self, row: &Setting) -> Result<(), SettingError> {
        let text = self.text(row.name);
        let problem = match row.kind {
            Kind::Choice(allowed) if !allowed.iter().any(|value| value.eq_ignore_ascii_case(text.trim())) => {
                format!("is \"{text}\", but takes one of {}", allowed.join(", "))
            }
            Kind::Number(low, high)
                if !text.trim().parse::<i64>().is_ok_and(|number| (low..=high).contains(&number)) =>
            {
                format!("is \"{text}\", but takes a whole number from {low} to {high}")
            }
            _ => return Ok(()),
        };
        Err(SettingError { setting: row.name.to_owned(), problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_saved_gives_the_shipped_defaults() {
        let settings = Settings::parse("{}").expect("an empty object is valid");
        assert_eq!(settings.environment(), Environment::Row);
        assert_eq!(settings.api(), Api::Widget);
        assert_eq!(settings.record_type(), RecordType::Resource);
        assert_eq!((settings.number("max_attempts"), settings.number("pace")), (6, 80));
        assert!(!settings.is_on("activity_enabled"));
        assert!(serde_json::from_str::<Value>(&settings.text("field_map")).is_ok());
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        let error = Settings::parse(r#"{"pace":"0"}"#).expect_err("0 is below the range");
        assert_eq!(error.to_string(), "pace: is \"0\", but takes a whole number from 1 to 60000");
        assert!(Settings::parse(r#"{"environment":"mars"}"#).is_err());
        assert!(Settings::parse("[]").is_err());
    }

    #[test]
    fn every_default_is_allowed_by_its_own_row() {
        assert!(Settings::parse("{}").is_ok());
        assert!(TABLE.iter().all(|row| matches!(row.kind, Kind::Internal) || !row.label.is_empty()));
    }
}
