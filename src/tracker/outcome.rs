//! What an answer proves: done, not applied, or nothing at all. The rows R1 to R4 of `docs/delivery.md`.

use serde_json::Value;

use super::transport::{Failure, Response};
use crate::codes::Code;

/// What became of a request that was meant to change something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Applied (R1); without an id where Tracker named none (R1b).
    Done {
        /// Tracker's id.
        id: Option<i64>,
        /// Tracker's words.
        message: String,
    },
    /// Accepted, to be applied later (202).
    Pending {
        /// Tracker's words.
        message: String,
    },
    /// The person is there already and was not overwritten (R3).
    Protected {
        /// The id, if Tracker gave one.
        id: Option<i64>,
        /// Tracker's words.
        message: String,
    },
    /// Proven not applied (R2).
    NotApplied {
        /// In which way.
        why: Refusal,
        /// The code.
        code: Code,
        /// Tracker's words.
        message: String,
        /// Seconds to wait, if Tracker said so.
        retry_after: Option<u64>,
    },
    /// Nobody knows (R4).
    Unknown {
        /// The code.
        code: Code,
        /// What is known.
        message: String,
        /// Seconds to wait, if Tracker said so.
        retry_after: Option<u64>,
    },
}

/// In which way a request was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No connection, or a server that cannot serve a request which changes nothing.
    Unreachable,
    /// Too many requests.
    TooMany,
    /// The credentials.
    Unauthorized,
    /// The user behind the credentials.
    User,
    /// A missing permission.
    Forbidden,
    /// Wrong address or method: a fault of Tracker's side or of the settings.
    Endpoint,
    /// The data.
    Rejected,
}

impl Verdict {
    /// The code, if there was trouble.
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Done { .. } => None,
            Self::Pending { .. } => Some(Code::TrackerNoId),
            Self::Protected { .. } => Some(Code::TrackerProtected),
            Self::NotApplied { code, .. } | Self::Unknown { code, .. } => Some(*code),
        }
    }

    /// Tracker's words, or ours.
    pub fn message(&self) -> &str {
        match self {
            Self::Done { message, .. }
            | Self::Pending { message }
            | Self::Protected { message, .. }
            | Self::NotApplied { message, .. }
            | Self::Unknown { message, .. } => message,
        }
    }

    /// In which way it was not applied, if that is proven.
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::NotApplied { why, .. } => Some(*why),
            _ => None,
        }
    }

    /// Seconds that Tracker asked to wait.
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::NotApplied { retry_after, .. } | Self::Unknown { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether Tracker asks everybody to wait.
    pub fn is_asking_for_patience(&self) -> bool {
        self.refusal() == Some(Refusal::TooMany) || self.retry_after().is_some()
    }

    /// A refusal.
    pub fn refused(why: Refusal, code: Code, message: impl Into<String>) -> Self {
        Self::NotApplied { why, code, message: message.into(), retry_after: None }
    }
}

/// The verdict on a request that changes something.
pub fn of_change(answer: Result<Response, Failure>, widget: bool) -> Verdict {
    let response = match answer {
        Ok(response) => response,
        Err(Failure::NotSent(code, message)) => return Verdict::refused(Refusal::Unreachable, code, message),
        Err(Failure::Lost(message)) => {
            return Verdict::Unknown { code: Code::TrackerAnswerLost, message, retry_after: None };
        }
    };
    match response.status {
        200 | 201 if widget => of_widget(&response),
        200 | 201 => of_rest(&response),
        202 => Verdict::Pending { message: words(&response) },
        _ => of_status(&response).unwrap_or_else(|| lost(&response)),
    }
}

/// The verdict on a request that changes nothing, when its status is not a success.
pub fn of_read(answer: Result<Response, Failure>) -> Result<Response, Verdict> {
    match answer {
        Ok(response) if matches!(response.status, 200 | 201 | 204) => Ok(response),
        Ok(response) => Err(of_status(&response).unwrap_or_else(|| unavailable(&response))),
        Err(Failure::NotSent(code, message)) => Err(Verdict::refused(Refusal::Unreachable, code, message)),
        Err(Failure::Lost(message)) => Err(Verdict::refused(Refusal::Unreachable, Code::TrackerUnavailable, message)),
    }
}

/// R2: statuses that prove that nothing was applied. ASSUMPTION each: Tracker documents the statuses, not
/// that they leave nothing behind.
fn of_status(response: &Response) -> Option<Verdict> {
    let (why, code) = match response.status {
        400 | 413 | 422 => (Refusal::Rejected, Code::TrackerRejected),
        401 => (Refusal::Unauthorized, Code::TrackerCredentials),
        403 => (Refusal::Forbidden, Code::TrackerForbidden),
        404 | 405 | 415 => (Refusal::Endpoint, Code::TrackerEndpoint),
        429 => (Refusal::TooMany, Code::TrackerTooMany),
        _ => return None,
    };
    Some(Verdict::NotApplied { why, code, message: words(response), retry_after: response.retry_after })
}

/// R4: an answer that proves nothing about a change.
fn lost(response: &Response) -> Verdict {
    let code = match response.status {
        // Unknown like the others, but no single request's fault: the lane pauses until Tracker is itself again.
        300..=399 => Code::TrackerEndpoint,
        500..=599 => Code::TrackerAnswerLost,
        _ => Code::TrackerUnreadable,
    };
    // 503 asks for patience also where it names none.
    let retry_after = response.retry_after.or((response.status == 503).then_some(60));
    Verdict::Unknown { code, message: with_status(response), retry_after }
}

fn with_status(response: &Response) -> String {
    let words = words(response);
    if words.starts_with("HTTP ") { words } else { format!("HTTP {}: {words}", response.status) }
}

fn unavailable(response: &Response) -> Verdict {
    let message = with_status(response);
    let retry_after = response.retry_after.or((response.status == 503).then_some(60));
    Verdict::NotApplied { why: Refusal::Unreachable, code: Code::TrackerUnavailable, message, retry_after }
}

fn of_rest(response: &Response) -> Verdict {
    if response.body.iter().all(u8::is_ascii_whitespace) {
        return Verdict::Done { id: None, message: String::new() };
    }
    let message = words(response);
    let value = match serde_json::from_slice::<Value>(&response.body) {
        // The long list answers with an array of one.
        Ok(Value::Array(rows)) => rows.into_iter().next().unwrap_or_default(),
        Ok(value @ Value::Object(_)) => value,
        _ => return unreadable(response),
    };
    if value.get("success").and_then(Value::as_bool) == Some(false) {
        return Verdict::Unknown {
            code: Code::TrackerUnreadable,
            message: format!("success: false. {message}"),
            retry_after: None,
        };
    }
    Verdict::Done { id: positive(value.get("id")), message }
}

fn of_widget(response: &Response) -> Verdict {
    let Ok(Value::Object(value)) = serde_json::from_slice(&response.body) else { return unreadable(response) };
    let message = words(response);
    let id = positive(value.get("recordId"));
    match number(value.get("status")) {
        Some(0) => Verdict::Done { id, message },
        Some(1 | 2) => Verdict::refused(Refusal::User, Code::TrackerUser, message),
        Some(3) => Verdict::Protected { id, message },
        Some(99) => Verdict::refused(Refusal::Rejected, Code::TrackerRejected, message),
        _ => unreadable(response),
    }
}

fn unreadable(response: &Response) -> Verdict {
    let message =
        format!("HTTP {} with a body of {} bytes that is not Tracker's", response.status, response.body.len());
    Verdict::Unknown { code: Code::TrackerUnreadable, message, retry_after: None }
}

/// A number, also where it came as text.
pub fn number(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// An id: ids are positive.
pub fn positive(value: Option<&Value>) -> Option<i64> {
    number(value).filter(|id| *id > 0)
}

/// Tracker's own words from an answer (RFC 9457, widget or REST), cut to what a screen can show. Hostile text.
pub fn words(response: &Response) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(&response.body) else { return plain_words(response) };
    let value = if let Value::Array(rows) = value { rows.into_iter().next().unwrap_or_default() } else { value };
    let mut parts: Vec<String> = ["title", "detail", "message", "error", "error_description"]
        .iter()
        .filter_map(|name| {
            value.get(*name)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
        })
        .collect();
    if let Some(Value::Object(errors)) = value.get("errors") {
        parts.extend(errors.iter().map(|(field, why)| {
            let why = why
                .as_array()
                .and_then(|all| all.first())
                .and_then(Value::as_str)
                .or_else(|| why.as_str())
                .unwrap_or_default();
            format!("{field}: {why}")
        }));
    }
    parts.join("; ").chars().filter(|letter| !letter.is_control()).take(500).collect()
}

/// The text of an answer that is no JSON, such as a proxy's page: without its tags, cut short.
fn plain_words(response: &Response) -> String {
    let text = String::from_utf8_lossy(response.body.get(..4_096).unwrap_or(&response.body)).into_owned();
    let outside =
        text.split('<').map(|part| part.split_once('>').map_or(part, |(_, after)| after)).collect::<Vec<_>>().join(" ");
    let words: String = outside
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect();
    if words.is_empty() {
        format!("HTTP {} without a word", response.status)
    } else {
        format!("HTTP {}: {words}", response.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Response, Failure> {
        Ok(Response { status, retry_after: None, date: None, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn success_is_believed_only_as_far_as_it_goes() {
        assert_eq!(
            of_change(answer(201, r#"{"id":7,"success":true,"message":"ok"}"#), false),
            Verdict::Done { id: Some(7), message: "ok".into() }
        );
        assert!(matches!(of_change(answer(200, ""), false), Verdict::Done { id: None, .. }));
        assert!(matches!(
            of_change(answer(201, r#"[{"id":7,"success":true}]"#), false),
            Verdict::Done { id: Some(7), .. }
        ));
        assert!(matches!(of_change(answer(202, ""), false), Verdict::Pending { .. }));
        for (status, body) in
            [(201, r#"{"id":7,"success":false}"#), (204, ""), (201, "<html>"), (201, r#"{"id":7"#), (201, "null")]
        {
            assert!(matches!(of_change(answer(status, body), false), Verdict::Unknown { .. }), "{status} {body}");
        }
        assert!(matches!(of_change(answer(201, r#"{"id":-1,"success":true}"#), false), Verdict::Done { id: None, .. }));
    }

    #[test]
    fn widget_statuses_decide_inside_a_200() {
        let of = |body: &str| of_change(answer(200, body), true);
        assert!(matches!(of(r#"{"status":0,"message":"created","recordId":5}"#), Verdict::Done { id: Some(5), .. }));
        assert!(matches!(of(r#"{"status":"0","message":"created"}"#), Verdict::Done { id: None, .. }));
        for (status, why) in [(1, Refusal::User), (2, Refusal::User), (99, Refusal::Rejected)] {
            assert_eq!(of(&format!(r#"{{"status":{status}}}"#)).refusal(), Some(why));
        }
        assert!(matches!(of(r#"{"status":3,"message":"found"}"#), Verdict::Protected { id: None, .. }));
        assert!(matches!(of(r#"{"status":42}"#), Verdict::Unknown { .. }));
        assert!(matches!(of("oops"), Verdict::Unknown { .. }));
    }

    #[test]
    fn only_the_listed_statuses_prove_that_nothing_was_applied() {
        let proven = [400, 401, 403, 404, 405, 413, 415, 422, 429];
        for status in (300..=599).filter(|status| *status != 304) {
            let verdict = of_change(answer(status, "{}"), false);
            assert_eq!(matches!(verdict, Verdict::NotApplied { .. }), proven.contains(&status), "{status}");
        }
        assert_eq!(of_change(answer(503, ""), false).retry_after(), Some(60));
        assert!(matches!(of_change(Err(Failure::Lost("reset".into())), false), Verdict::Unknown { .. }));
        let not_sent = Failure::NotSent(Code::TrackerUnreachable, "refused".into());
        assert_eq!(of_change(Err(not_sent), true).refusal(), Some(Refusal::Unreachable));
    }

    #[test]
    fn a_page_in_place_of_json_is_shown_without_its_tags() {
        let response = answer(400, "<html><body><h1>Bad\n Request</h1></body></html>").expect("made");
        assert_eq!(words(&response), "HTTP 400: Bad Request");
        assert_eq!(words(&answer(500, "").expect("made")), "HTTP 500 without a word");
    }

    #[test]
    fn trackers_words_are_taken_from_every_shape_and_cut() {
        let response = answer(400, r#"{"title":"Bad","errors":{"email":["wrong\u0007 one"]}}"#).expect("made");
        assert_eq!(words(&response), "Bad; email: wrong one");
        let long = answer(400, &format!(r#"{{"detail":"{}"}}"#, "x".repeat(2000))).expect("made");
        assert_eq!(words(&long).len(), 500);
    }
}
