//! The one table of settings: names, types, defaults and help. The plugin's pages, the constants, Site
//! Health, the CLI and the README are made from it. Here the values that WordPress hands over are read
//! once and become typed; nobody else parses a setting.

use serde_json::{Map, Value};

use crate::codes::{Code, Coded};

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    Text,
    /// A text of several lines.
    Lines,
    /// One of the values given.
    Choice(&'static [&'static str]),
    /// On (`"1"`) or off (`""` or `"0"`).
    Switch,
    /// A whole number in the range given, both ends included.
    Number(i64, i64),
    /// JSON text; what it must look like is checked by `mapping`.
    Json,
    /// A secret: it goes to the engine's vault and never comes back.
    Secret,
    /// A value that the plugin keeps for itself; it has no field on a page.
    Internal,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Name without the prefix: option `halt_tracker_<name>`, constant `HALT_TRACKER_<NAME>`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The value in force when nothing was saved.
    pub default: &'static str,
    /// The tab of the Settings page (`connection`, `mapping`, `forms`, `webhook`, `activities`, `delivery`, `privacy`), or empty.
    pub tab: &'static str,
    /// The label beside the field.
    pub label: &'static str,
    /// One sentence of help under the field.
    pub help: &'static str,
}

/// The map that delivers a stock Divi form and the documented webhook body on both APIs.
pub const DEFAULT_MAP: &str = r#"{"fullName":"name","firstName":"first_name","lastName":"last_name","email":"email","phone":"phone","note":"message","source":":Website"}"#;

macro_rules! setting {
    ($name:literal, $kind:expr, $default:expr, $tab:literal, $label:literal, $help:literal) => {
        Setting { name: $name, kind: $kind, default: $default, tab: $tab, label: $label, help: $help }
    };
}

/// Every setting, in the order of the pages.
pub const TABLE: &[Setting] = &[
    setting!(
        "environment",
        Kind::Choice(&["us", "ca", "row"]),
        "row",
        "connection",
        "Environment",
        "The region of your Tracker database: US, Canada, or the rest of the world."
    ),
    setting!(
        "api",
        Kind::Choice(&["widget", "rest"]),
        "widget",
        "connection",
        "API",
        "Widget is Tracker's classic API; REST v1 is the newer one. Test connection says which of them works."
    ),
    setting!(
        "client_id",
        Kind::Text,
        "EvoApi_1.0",
        "connection",
        "Client ID",
        "The OAuth client id that Tracker gave you."
    ),
    setting!(
        "client_secret",
        Kind::Secret,
        "",
        "connection",
        "Client secret",
        "The OAuth client secret. Leave empty to keep the saved one."
    ),
    setting!(
        "refresh_token",
        Kind::Secret,
        "",
        "connection",
        "Refresh token",
        "The refresh token from the OAuth authorization. Leave empty to keep the saved one."
    ),
    setting!(
        "api_token",
        Kind::Secret,
        "",
        "connection",
        "API token",
        "REST only: a token from Tracker's Security Settings, in place of client secret and refresh token."
    ),
    setting!(
        "redirect_uri",
        Kind::Text,
        "",
        "connection",
        "Redirect URI",
        "Only if Tracker requires it when it issues new tokens."
    ),
    setting!(
        "record_type",
        Kind::Choice(&["Resource", "Contact", "Lead"]),
        "Resource",
        "mapping",
        "Record type",
        "What a submission becomes in Tracker, unless a form says otherwise."
    ),
    setting!(
        "field_map",
        Kind::Json,
        DEFAULT_MAP,
        "mapping",
        "Field mapping",
        "Tracker's field on the left, the form's field on the right. A colon in front makes a fixed value."
    ),
    setting!(
        "required_fields",
        Kind::Text,
        "email",
        "mapping",
        "Required fields",
        "Tracker fields, separated by commas. A submission without them is kept and not sent."
    ),
    setting!(
        "duplicates",
        Kind::Choice(&["use_existing", "create"]),
        "use_existing",
        "mapping",
        "Existing people",
        "Use the record that already has the same e-mail address, or always create a new one."
    ),
    setting!(
        "forms",
        Kind::Json,
        "{}",
        "forms",
        "Forms",
        "What happens with each form: send, hold for review or ignore, and its own mapping."
    ),
    setting!("form_routing_resource", Kind::Lines, "", "forms", "Forms that create Resources", "One form id per line."),
    setting!("form_routing_contact", Kind::Lines, "", "forms", "Forms that create Contacts", "One form id per line."),
    setting!("form_routing_lead", Kind::Lines, "", "forms", "Forms that create Leads", "One form id per line."),
    setting!(
        "shared_secret",
        Kind::Secret,
        "",
        "webhook",
        "Webhook shared secret",
        "At least 32 characters. Leave empty to keep the saved one."
    ),
    setting!(
        "body_limit_mib",
        Kind::Number(1, 64),
        "36",
        "webhook",
        "Largest request (MiB)",
        "Requests with a larger body are refused."
    ),
    setting!(
        "trusted_proxies",
        Kind::Lines,
        "",
        "webhook",
        "Trusted proxies",
        "Addresses or networks whose X-Forwarded-For is believed in the list of refused requests, one per line."
    ),
    setting!(
        "activity_enabled",
        Kind::Switch,
        "",
        "activities",
        "Log an activity",
        "Create an activity in Tracker for every delivered record."
    ),
    setting!(
        "activity_subject",
        Kind::Text,
        "Website enquiry – {{form_id}}",
        "activities",
        "Activity subject",
        "Placeholders such as {{form_id}} are replaced."
    ),
    setting!(
        "activity_notes",
        Kind::Lines,
        "Received {{timestamp}}",
        "activities",
        "Activity notes",
        "Placeholders such as {{timestamp}} are replaced."
    ),
    setting!(
        "activity_type",
        Kind::Text,
        "",
        "activities",
        "Activity type",
        "The name of an activity type of your Tracker account; empty leaves it to Tracker."
    ),
    setting!(
        "attachment_field",
        Kind::Text,
        "",
        "activities",
        "Attachment field",
        "Only files of this form field are sent. Empty sends all."
    ),
    setting!(
        "file_types",
        Kind::Text,
        "pdf,doc,docx,odt,rtf,txt,jpg,png",
        "activities",
        "Allowed file types",
        "Extensions, separated by commas."
    ),
    setting!(
        "marker_field",
        Kind::Text,
        "",
        "delivery",
        "Marker field",
        "The id of a custom field that may hold the delivery marker: the surest way to find a record again."
    ),
    setting!(
        "max_attempts",
        Kind::Number(1, 100),
        "6",
        "delivery",
        "Attempts",
        "After this many failed attempts, and not before seven days, a submission is given up and shown as failed."
    ),
    setting!(
        "pace",
        Kind::Number(1, 60_000),
        "80",
        "delivery",
        "Requests per minute",
        "Tracker allows about 100 a minute for all programs together."
    ),
    setting!(
        "alert_email",
        Kind::Text,
        "",
        "delivery",
        "Alerts go to",
        "An e-mail address; empty means the site's administrator."
    ),
    setting!(
        "record_url",
        Kind::Text,
        "",
        "delivery",
        "Link to a record",
        "An address with {{record.id}} and {{record.type}}, so that ids in the Sync Log become links."
    ),
    setting!(
        "retention_days",
        Kind::Number(0, 3650),
        "7",
        "privacy",
        "Keep delivered data (days)",
        "Fields and files of a delivered submission are erased after this time."
    ),
    setting!(
        "delete_on_uninstall",
        Kind::Switch,
        "",
        "privacy",
        "Delete all data when the plugin is deleted",
        "Off keeps the store, so that nothing is lost by a reinstallation."
    ),
    setting!("public_key", Kind::Internal, "", "", "", ""),
    setting!("data_dir", Kind::Internal, "", "", "", ""),
    setting!("install_id", Kind::Internal, "", "", "", ""),
    setting!("epoch", Kind::Internal, "", "", "", ""),
    setting!("version", Kind::Internal, "", "", "", ""),
];

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
