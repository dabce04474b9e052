//! Sends one planned step, and asks whether credentials work. A 401 is answered once with fresh tokens; all
//! else is reported, never repeated.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::hosts::Hosts;
use super::outcome::{Refusal, Verdict, of_change, of_read};
use super::plan::{Link, Planned};
use super::tokens::{Credentials, TokenStore};
use super::transport::{Body, DocumentSource, Request, Response, Transport};
use crate::clock::Clock;
use crate::codes::Code;
use crate::settings::Api;

/// Tracker's ids that earlier steps gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ids {
    /// The Contact of a REST Lead.
    pub contact: Option<i64>,
    /// The record.
    pub record: Option<i64>,
    /// Whether the person was there already, so that no create carries what the form brought.
    pub found: bool,
}

/// A client for a few requests of one run.
pub struct Client<'a> {
    pub(super) hosts: &'a Hosts,
    pub(super) api: Api,
    pub(super) credentials: &'a Credentials,
    pub(super) tokens: &'a mut dyn TokenStore,
    pub(super) transport: &'a mut dyn Transport,
    pub(super) clock: &'a dyn Clock,
}

impl<'a> Client<'a> {
    /// A client for hosts and credentials; `api` is the one that the connection test means.
    pub fn new(
        hosts: &'a Hosts,
        api: Api,
        credentials: &'a Credentials,
        tokens: &'a mut dyn TokenStore,
        transport: &'a mut dyn Transport,
        clock: &'a dyn Clock,
    ) -> Self {
        Self { hosts, api, credentials, tokens, transport, clock }
    }

    /// Gets the token that a step needs, before its intent is written.
    ///
    /// # Errors
    /// The verdict of the token request: the step itself was not sent.
    pub fn prepare(&mut self, planned: &Planned) -> Result<(), Verdict> {
        self.token(planned.is_widget()).map(drop)
    }

    /// Sends a step once; after a 401 once more, because a refused token proves that nothing was applied.
    pub fn send(
        &mut self,
        planned: &Planned,
        ids: &Ids,
        file: Option<&dyn Fn() -> Option<Box<dyn DocumentSource>>>,
        deadline: Option<i64>,
    ) -> Verdict {
        let first = self.send_once(planned, ids, file, deadline);
        let Err((token, verdict)) = first else { return first.unwrap_or_else(|(_, verdict)| verdict) };
        self.drop_token(if planned.is_widget() { "oauth" } else { "jwt" }, &token);
        match self.send_once(planned, ids, file, deadline) {
            Ok(second) => second,
            // A token that was just made is refused: the credentials themselves are in trouble.
            Err(_) => verdict,
        }
    }

    /// `Err` with the token when Tracker answered 401.
    fn send_once(
        &mut self,
        planned: &Planned,
        ids: &Ids,
        file: Option<&dyn Fn() -> Option<Box<dyn DocumentSource>>>,
        deadline: Option<i64>,
    ) -> Result<Verdict, (Zeroizing<String>, Verdict)> {
        let widget = planned.is_widget();
        let token = match self.token(widget) {
            Ok(token) => token,
            Err(verdict) => return Ok(verdict),
        };
        let Some(value) = filled(planned, ids) else {
            return Ok(Verdict::refused(Refusal::Rejected, Code::EngineFault, "an id is missing that this step needs"));
        };
        let source = match (file, &planned.file_at) {
            (Some(open), Some(_)) => open(),
            _ => None,
        };
        let Some(body) = body_of(value, planned, widget.then_some(token.as_str()), source) else {
            // It opened a moment ago: the disk refuses for now, and a file that is gone is noticed before the next try.
            return Ok(Verdict::refused(Refusal::Unreachable, Code::StoreIo, "the stored file cannot be read now"));
        };
        let host = if widget { &self.hosts.oauth } else { &self.hosts.api };
        let bearer = (!widget).then(|| token.clone());
        let request = Request { method: "POST", url: format!("{host}{}", planned.path), bearer, body, deadline };
        let verdict = of_change(self.transport.send(request), widget);
        if verdict.refusal() == Some(Refusal::Unauthorized) { Err((token, verdict)) } else { Ok(verdict) }
    }

    /// Asks the API whether the credentials work, with a request that changes nothing.
    ///
    /// # Errors
    /// What Tracker says against it.
    pub fn probe(&mut self) -> Result<(), Verdict> {
        match self.api {
            Api::Rest => self.read("GET", "/api/v1/MetaData", None).map(drop),
            Api::Widget => self.check_logon(),
        }
    }

    /// Asks the widget API alone.
    ///
    /// # Errors
    /// What Tracker says against it.
    pub fn check_logon(&mut self) -> Result<(), Verdict> {
        for again in [true, false] {
            let token = self.oauth_token()?;
            let body = json!({ "trackerrms": { "checkLogon": { "credentials": { "oauthtoken": *token } } } });
            let body = Body::Bytes("application/json", Zeroizing::new(body.to_string().into_bytes()));
            let url = format!("{}/api/widget/checkLogon", self.hosts.oauth);
            let response =
                match of_read(self.transport.send(Request { method: "POST", url, bearer: None, body, deadline: None }))
                {
                    Err(verdict) if again && verdict.refusal() == Some(Refusal::Unauthorized) => {
                        self.drop_token("oauth", &token);
                        continue;
                    }
                    other => other?,
                };
            return match of_change(Ok(response), true) {
                Verdict::Done { .. } => Ok(()),
                // What checkLogon answers is not documented beyond the in-body status.
                Verdict::Unknown { message, .. } => {
                    Err(Verdict::refused(Refusal::Unreachable, Code::TrackerUnreadable, message))
                }
                other => Err(other),
            };
        }
        Err(Verdict::refused(Refusal::Unauthorized, Code::TrackerCredentials, ""))
    }

    /// A REST request that changes nothing, with one fresh token after a 401.
    ///
    /// # Errors
    /// What stands against an answer: the request changed nothing in any case.
    pub(super) fn read(&mut self, method: &'static str, path: &str, body: Option<&Value>) -> Result<Response, Verdict> {
        let mut last = None;
        for _ in 0..2 {
            let token = self.jwt()?;
            let bytes = body.map(|value| Zeroizing::new(value.to_string().into_bytes()));
            let body = bytes.map_or(Body::Empty, |bytes| Body::Bytes("application/json", bytes));
            let url = format!("{}{path}", self.hosts.api);
            let request = Request { method, url, bearer: Some(token.clone()), body, deadline: None };
            match of_read(self.transport.send(request)) {
                Err(verdict) if verdict.refusal() == Some(Refusal::Unauthorized) => {
                    self.drop_token("jwt", &token);
                    last = Some(verdict);
                }
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| Verdict::refused(Refusal::Unauthorized, Code::TrackerCredentials, "")))
    }

    fn token(&mut self, widget: bool) -> Result<Zeroizing<String>, Verdict> {
        if widget { self.oauth_token() } else { self.jwt() }
    }
}

/// The body with the ids of earlier steps in their places; `None` when one is not known.
fn filled(planned: &Planned, ids: &Ids) -> Option<Value> {
    let mut value = planned.body_for(ids.found);
    for (pointer, link) in &planned.links {
        let id = match link {
            Link::Contact => ids.contact,
            Link::Record => ids.record,
        }?;
        *value.pointer_mut(pointer)? = json!(id);
    }
    // Activity texts may name the record, which was not known when they were written.
    if let (Some(pointer), Some(id)) = (&planned.text_at, ids.record)
        && let Some(parent) = value.pointer_mut(pointer)
        && let Some(object) = parent.as_object_mut()
    {
        for (_, text) in object.iter_mut().filter(|(name, _)| matches!(name.as_str(), "subject" | "note")) {
            if let Value::String(words) = text {
                *words = words.replace("{{record.id}}", &id.to_string());
            }
        }
    }
    Some(value)
}

/// The bytes to send: credentials in a widget body, a document's base64 as a stream in its place.
fn body_of(
    mut value: Value,
    planned: &Planned,
    widget_token: Option<&str>,
    source: Option<Box<dyn DocumentSource>>,
) -> Option<Body> {
    if let Some(token) = widget_token {
        let operation = planned.path.rsplit('/').next().unwrap_or_default();
        let credentials = value.pointer_mut(&format!("/trackerrms/{operation}/credentials"))?;
        *credentials = json!({ "oauthtoken": token });
    }
    let Some(pointer) = &planned.file_at else {
        return Some(Body::Bytes("application/json", Zeroizing::new(value.to_string().into_bytes())));
    };
    let source = source?;
    // Nobody can guess the mark, so it stands in the text exactly once: where the base64 goes.
    let mut mark = [0; 18];
    getrandom::fill(&mut mark).ok()?;
    let mark = BASE64.encode(mark);
    *value.pointer_mut(pointer)? = Value::String(mark.clone());
    let text = Zeroizing::new(value.to_string());
    let (before, after) = text.split_once(&mark)?;
    Some(Body::Document {
        before: Zeroizing::new(before.as_bytes().to_vec()),
        source,
        after: after.as_bytes().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracker::plan::StepKind;
    use std::io::Read;

    struct Bytes(&'static [u8]);
    impl DocumentSource for Bytes {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(self.0))
        }
    }

    fn planned(body: Value) -> Planned {
        Planned {
            kind: StepKind::Document,
            path: "/api/widget/attachDocument".into(),
            body,
            links: Vec::new(),
            text_at: None,
            file: Some(1),
            file_at: None,
            note_if_found: None,
            only_if_found: false,
        }
    }

    #[test]
    fn ids_of_earlier_steps_go_to_their_places_or_nothing_is_sent() {
        let mut step = planned(json!({ "associations": { "contacts": [{ "id": 0 }] } }));
        step.links.push(("/associations/contacts/0/id".into(), Link::Contact));
        assert_eq!(
            filled(&step, &Ids { contact: Some(5), ..Ids::default() }),
            Some(json!({ "associations": { "contacts": [{ "id": 5 }] } }))
        );
        assert_eq!(filled(&step, &Ids::default()), None);
    }

    #[test]
    fn a_document_is_split_around_its_base64_and_the_token_joins_at_the_send() {
        let mut step = planned(
            json!({ "trackerrms": { "attachDocument": { "credentials": {}, "file": { "filename": "cv.pdf", "data": "" } } } }),
        );
        step.file_at = Some("/trackerrms/attachDocument/file/data".into());
        let Some(Body::Document { before, source, after }) =
            body_of(step.body.clone(), &step, Some("t0ken"), Some(Box::new(Bytes(b"%PDF"))))
        else {
            panic!("no document body");
        };
        assert_eq!(source.size(), 4);
        let whole = [before.as_slice(), b"JVBERg==", &after].concat();
        let value: Value = serde_json::from_slice(&whole).expect("JSON");
        assert_eq!(value.pointer("/trackerrms/attachDocument/file/data"), Some(&json!("JVBERg==")));
        assert_eq!(value.pointer("/trackerrms/attachDocument/credentials"), Some(&json!({ "oauthtoken": "t0ken" })));
        assert!(!step.body.to_string().contains("t0ken"));
    }
}
