//! The fault plan: what goes wrong, for which operation, how often, and whether Tracker had done the work before the
//! answer was spoilt. That last point is the one that decides whether a client makes twins or loses records.

use super::{Answer, Api, Fate};
use serde_json::{Value, json};

const GARBAGE: &str =
    "<!DOCTYPE html><html><head><title>Service</title></head><body><h1>Please sign in</h1></body></html>";

#[derive(Clone, PartialEq)]
enum What {
    Drop,
    Status(u16),
    Garbage(u16),
    SuccessFalse,
    NoId,
    CutBody,
    Delay,
    WidgetStatus(i64),
}

/// One entry of the plan. `on` is an operation name, `*`, or a group (`create`, `search`, `get`, `write`), optionally
/// after `rest:` or `widget:`. `do` may end in `_after` (Tracker does the work, then the fault) or `_before`.
#[derive(Clone)]
pub struct Fault {
    on: String,
    words: String,
    what: What,
    /// Is the request applied to the state first?
    pub applied: bool,
    times: i64,
    skip: i64,
    retry_after: Option<i64>,
    ms: i64,
}

impl Fault {
    pub fn read(value: &Value) -> Result<Self, String> {
        let words = value["do"].as_str().map(str::to_owned).or_else(|| value["do"].as_u64().map(|n| n.to_string()));
        let words = words.ok_or("a fault needs do")?;
        let on = value["on"].as_str().unwrap_or("*").to_owned();
        let (name, moment) = match (words.strip_suffix("_after"), words.strip_suffix("_before")) {
            (Some(name), _) => (name, Some(true)),
            (_, Some(name)) => (name, Some(false)),
            _ => (words.as_str(), None),
        };
        let (what, usual) = match name {
            "drop" => (What::Drop, false),
            "garbage" => (What::Garbage(502), false),
            "garbage_200" => (What::Garbage(200), true),
            "success_false" => (What::SuccessFalse, false),
            "no_id" => (What::NoId, true),
            "cut_body" => (What::CutBody, true),
            "delay" => (What::Delay, true),
            "status1" => (What::WidgetStatus(1), false),
            "status2" => (What::WidgetStatus(2), false),
            "status3" => (What::WidgetStatus(3), false),
            "status99" => (What::WidgetStatus(99), false),
            number => match number.parse::<u16>() {
                Ok(status) if (300..600).contains(&status) => (What::Status(status), false),
                _ => return Err(format!("no fault is called {words}")),
            },
        };
        Ok(Self {
            applied: moment.unwrap_or(usual),
            times: value["times"].as_i64().unwrap_or(1),
            skip: value["skip"].as_i64().unwrap_or(0),
            retry_after: value["retry_after"].as_i64(),
            ms: value["ms"].as_i64().unwrap_or(1000),
            on,
            words,
            what,
        })
    }

    pub fn show(&self) -> Value {
        let mut out = json!({"on": self.on, "do": self.words, "times": self.times, "skip": self.skip});
        if let Some(seconds) = self.retry_after {
            out["retry_after"] = json!(seconds);
        }
        if self.what == What::Delay {
            out["ms"] = json!(self.ms);
        }
        out
    }

    /// The name under which the ledger remembers it.
    pub fn name(&self) -> &str {
        &self.words
    }

    fn matches(&self, api: Api, operation: &str) -> bool {
        let name = match self.on.split_once(':') {
            Some(("rest", name)) if api == Api::Rest => name,
            Some(("widget", name)) if api == Api::Widget => name,
            Some(_) => return false,
            None => self.on.as_str(),
        };
        let group = |prefix: &str| operation.starts_with(prefix);
        match name {
            "*" => true,
            "create" => group("create_"),
            "search" => group("search_"),
            "get" => group("get_"),
            "write" => {
                group("create_") || group("update_") || operation == "attach_document" || operation == "longlist"
            }
            name => name == operation,
        }
    }

    /// Takes the first fault of the plan that is due for this operation. A fault that still skips counts the request
    /// and lets the next one look at it.
    pub fn take(plan: &mut Vec<Self>, api: Api, operation: &str) -> Option<Self> {
        for at in 0..plan.len() {
            let fault = &mut plan[at];
            if !fault.matches(api, operation) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times -= 1;
            let taken = fault.clone();
            if fault.times <= 0 {
                plan.remove(at);
            }
            return Some(taken);
        }
        None
    }

    /// Spoils the answer; `real` is what Tracker would have said, when it did the work.
    pub fn spoil(&self, api: Api, real: Option<Answer>) -> Answer {
        let bare = || Answer::json(200, &json!({}));
        match &self.what {
            What::Drop => Answer { fate: Fate::Drop, ..Answer::empty(500) },
            What::Status(status) => {
                let mut answer = match api {
                    Api::OAuth => Answer::json(*status, &json!({"error": oauth_word(*status)})),
                    Api::Widget => Answer::text(*status, "text/html", GARBAGE),
                    _ => Answer::problem(*status, "simulated fault", None),
                };
                if let Some(seconds) = self.retry_after {
                    answer.headers.push(("retry-after".to_owned(), seconds.to_string()));
                }
                answer
            }
            What::Garbage(status) => Answer::text(*status, "text/html; charset=utf-8", GARBAGE),
            What::SuccessFalse => match api {
                Api::Widget => Answer::widget(99, "simulated refusal", json!({})),
                Api::OAuth => bare(),
                _ => Answer::json(200, &json!({"id": 0, "success": false, "message": "simulated refusal"})),
            },
            What::NoId => strip_ids(real.unwrap_or_else(bare)),
            What::CutBody => {
                let answer = real.unwrap_or_else(|| Answer::json(200, &json!({"id": 0, "success": true})));
                Answer { fate: Fate::CutBody(answer.body.len() / 2), ..answer }
            }
            What::Delay => {
                let answer = real.unwrap_or_else(|| Answer::problem(504, "simulated gateway timeout", None));
                Answer { fate: Fate::DelayMs(self.ms.max(0) as u64), ..answer }
            }
            What::WidgetStatus(status) => Answer::widget(*status, "simulated", json!({})),
        }
    }
}

fn oauth_word(status: u16) -> &'static str {
    match status {
        400 => "invalid_grant",
        401 => "invalid_client",
        403 => "access_denied",
        429 => "slow_down",
        500..=599 => "server_error",
        _ => "invalid_request",
    }
}

fn strip_ids(mut answer: Answer) -> Answer {
    let strip = |value: &mut Value| {
        if let Some(members) = value.as_object_mut() {
            ["id", "recordId", "access_token", "Token", "token"].iter().for_each(|name| {
                members.remove(*name);
            });
        }
    };
    if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) {
        match &mut body {
            Value::Array(list) => list.iter_mut().for_each(strip),
            other => strip(other),
        }
        answer.body = body.to_string().into_bytes();
    }
    answer
}
