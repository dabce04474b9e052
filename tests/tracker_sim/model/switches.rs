//! Every way in which this Tracker can be told to behave differently, in one table that the reader, the control
//! endpoint and the page share. Defaults are the behaviour that is documented or was seen; the rest are assumptions
//! that a client must survive.

use super::faults::Fault;
use serde_json::{Map, Value, json};

/// What a switch may hold.
pub trait Setting: Sized {
    fn read(value: &Value, words: &[&str]) -> Option<Self>;
    fn show(&self) -> Value;
}

impl Setting for bool {
    fn read(value: &Value, _: &[&str]) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(*b),
            Value::String(s) if s == "on" => Some(true),
            Value::String(s) if s == "off" => Some(false),
            _ => None,
        }
    }
    fn show(&self) -> Value {
        json!(self)
    }
}

impl Setting for i64 {
    fn read(value: &Value, _: &[&str]) -> Option<Self> {
        value.as_i64()
    }
    fn show(&self) -> Value {
        json!(self)
    }
}

impl Setting for String {
    fn read(value: &Value, words: &[&str]) -> Option<Self> {
        let text = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|n| n.to_string()))?;
        words.contains(&text.as_str()).then_some(text)
    }
    fn show(&self) -> Value {
        json!(self)
    }
}

impl Setting for Vec<i64> {
    fn read(value: &Value, _: &[&str]) -> Option<Self> {
        value.as_array()?.iter().map(Value::as_i64).collect()
    }
    fn show(&self) -> Value {
        json!(self)
    }
}

macro_rules! table {
    ($($name:ident: $kind:ty = $default:expr, [$($word:literal),*], $meaning:literal;)*) => {
        /// The switches as they stand.
        pub struct Switches { $(pub $name: $kind,)* pub faults: Vec<Fault> }

        impl Default for Switches {
            fn default() -> Self {
                Self { $($name: $default.into(),)* faults: Vec::new() }
            }
        }

        impl Switches {
            /// Name, words it may hold (empty: any value of its kind), default and meaning of every switch.
            pub fn table() -> Vec<(&'static str, Vec<&'static str>, Value, &'static str)> {
                let usual = Self::default();
                vec![$((stringify!($name), vec![$($word),*], usual.$name.show(), $meaning)),*]
            }

            fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
                match name {
                    $(stringify!($name) => {
                        let words: &[&str] = &[$($word),*];
                        self.$name = Setting::read(value, words)
                            .ok_or_else(|| format!("switch {name} cannot be {value}; it takes {words:?}"))?;
                    })*
                    _ => return Err(format!("there is no switch {name}")),
                }
                Ok(())
            }

            /// All switches and what is left of the fault plan.
            pub fn show(&self) -> Value {
                let mut out = Map::new();
                $(out.insert(stringify!($name).to_owned(), self.$name.show());)*
                out.insert("faults".to_owned(), self.faults.iter().map(Fault::show).collect());
                Value::Object(out)
            }
        }
    };
}

table! {
    rotate_refresh_token: bool = true, [], "each refresh answers with a new refresh token and kills the one used";
    refresh_grace_ms: i64 = 0, [], "a rotated refresh token still works this long";
    oauth_token_key: String = "access_token", ["access_token", "Token"], "member that carries the OAuth token; Token alone is the documented shape";
    oauth_lifetime_s: i64 = 3600, [], "lifetime of an OAuth token";
    token_error_status: String = "400", ["400", "401"], "HTTP status of a refused token request";
    jwt_lifetime_s: i64 = 604_800, [], "lifetime of a JWT";
    jwt_single_valid: bool = false, [], "a new JWT kills the one before";
    exchange_error_status: String = "401", ["401", "400"], "HTTP status when the token to exchange is dead";
    exchange_shape: String = "object", ["object", "bare"], "the answer to ExchangeToken: an object, or only the JWT as a JSON string";
    strict_members: bool = false, [], "unknown members are refused (REST 400, widget 99) instead of dropped";
    strict_types: bool = true, [], "REST answers 400 when a member has the wrong JSON type";
    check_links: bool = true, [], "links to records that do not exist are refused (REST 400, widget 99)";
    known_opportunities: Vec<i64> = Vec::<i64>::new(), [], "ids of the jobs that exist; empty: every id does";
    longlist_twice: String = "refuse", ["refuse", "accept"], "adding a candidate to a long list again: 400 (widget 99), or success without a second entry";
    page_cap: i64 = 10, [], "most rows on a search page, whatever was asked for";
    email_filter: String = "contains", ["contains", "exact", "ignored"], "how REST searches match email (letter case never matters)";
    search_lag_ms: i64 = 0, [], "a new record is found by searches only after this time; reading it by id works at once";
    rate_limit_per_min: i64 = 0, [], "REST and widget requests answered in a rolling minute (Tracker: about 100), 0 for no limit; then 429";
    retry_after: bool = false, [], "429 and 503 carry Retry-After";
    create_returns: String = "201", ["201", "200", "200_empty", "204"], "REST creates: 201 with id, 200 with id, 200 with an empty body, or 204 and nothing is made";
    attach_id: String = "document", ["document", "record", "none"], "which id AttachDocument answers with";
    answer_type: String = "application/json", ["application/json", "text/plain"], "content type of good answers";
    problem_json_type: String = "application/problem+json", ["application/problem+json", "text/plain"], "content type of REST errors";
    body_limit: i64 = 30_000_000, [], "largest request body; above it 413";
    latency_ms: i64 = 0, [], "every answer takes this long";
    clock_skew_ms: i64 = 0, [], "Tracker's clock runs ahead by this";
    date_zone: String = "z", ["z", "none"], "dates end in Z, or say nothing about their zone";
    document_dates: String = "given", ["given", "none"], "a list of documents says when each was made; the schema lets that be null";
    widget_auth: String = "401", ["401", "status1"], "an unknown or expired token on the widget API: HTTP 401, or 200 with status 1";
    widget_takes_api_token: bool = false, [], "the static API token works on the widget API too";
    widget_duplicates: String = "protect", ["protect", "create"], "same e-mail without overwrite: status 3, or a second record";
    status3_carries_id: bool = false, [], "status 3 carries the existing record's id and name";
    keep_requests: i64 = 20_000, [], "requests kept in the ledger; older ones are forgotten";
}

impl Switches {
    /// Merges an object of switches: all of it or, when one is wrong, none. `faults` replaces the plan, `faults_add`
    /// appends to it.
    pub fn merge(&mut self, changes: &Value) -> Result<(), String> {
        let changes = changes.as_object().ok_or("switches are a JSON object")?;
        let mut trial = Self::default();
        let mut plan = None;
        for (name, value) in changes {
            match name.as_str() {
                "faults" | "faults_add" => {
                    let list = value.as_array().ok_or("faults are a list")?;
                    let read = list.iter().map(Fault::read).collect::<Result<Vec<_>, _>>()?;
                    plan = Some((name == "faults", read));
                }
                _ => trial.set(name, value)?,
            }
        }
        for (name, value) in changes.iter().filter(|(name, _)| !name.starts_with("faults")) {
            self.set(name, value)?;
        }
        if let Some((replace, faults)) = plan {
            if replace {
                self.faults.clear();
            }
            self.faults.extend(faults);
        }
        Ok(())
    }
}
