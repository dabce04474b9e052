//! The rows of the table of settings, in the order of the pages.

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
        "Create an activity in Tracker for every delivered record. Off, one is created only for a person who was there already: it holds what the form brought, which no new record carries."
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
        "Separated by commas; there are pdf, doc, docx, odt, rtf, txt, jpg, jpeg and png."
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
        "After this many failed attempts, and not before seven days of trying, a submission is given up and shown as failed."
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
        "Fields and files of a delivered or discarded submission are erased after this time. What waits or is held stays without limit."
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
