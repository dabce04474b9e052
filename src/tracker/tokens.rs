//! Tokens: refresh token → OAuth token → JWT. A rotated refresh token is stored durably before it is used;
//! every cached token is bound to hosts and credentials, so that a changed setting never uses an old one.

use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::client::Client;
use super::hosts::Hosts;
use super::outcome::{Refusal, Verdict, of_read, words};
use super::transport::{Body, Request, Response};
use crate::codes::Code;

/// A token without a stated life is believed for this long. ASSUMPTION U1: Tracker documents none.
const OAUTH_LIFE_MS: i64 = 45 * 60_000;
/// A JWT lives about seven days (seen, not documented); without a stated end it is renewed daily.
const JWT_LIFE_MS: i64 = 24 * 3_600_000;
/// Tokens are renewed this long before their end, or after nine tenths of a short life.
const AHEAD_MS: i64 = 60_000;
/// A new refresh token that could not be written is written again after these pauses.
const KEEP_AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(200), Duration::from_millis(1_000)];

/// What the administrator entered.
#[derive(Clone, Default)]
pub struct Credentials {
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: Option<Zeroizing<String>>,
    /// The refresh token that was entered: the seed of all others.
    pub refresh_token: Option<Zeroizing<String>>,
    /// A static token in place of both.
    pub api_token: Option<Zeroizing<String>>,
    /// Sent along where Tracker requires it.
    pub redirect_uri: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// What every token is bound to, as a hash that gives nothing away.
    fn binding(&self, hosts: &Hosts) -> String {
        use hmac::{Hmac, KeyInit, Mac};
        let secret = |value: &Option<Zeroizing<String>>| value.as_ref().map_or_else(Zeroizing::default, Clone::clone);
        let text = Zeroizing::new(format!(
            "{}\0{}\0{}\0{}\0{}\0{}",
            hosts.oauth,
            hosts.api,
            self.client_id,
            *secret(&self.client_secret),
            *secret(&self.refresh_token),
            *secret(&self.api_token)
        ));
        Hmac::<sha2::Sha256>::new_from_slice(b"halt-tracker token binding").map_or_else(
            |_| String::new(),
            |mut mac| {
                mac.update(text.as_bytes());
                crate::queue::open::hex(&mac.finalize().into_bytes())
            },
        )
    }
}

/// A token and when it is to be renewed, milliseconds since 1970.
pub type Token = (Zeroizing<String>, Option<i64>);

/// Keeps tokens durably.
pub trait TokenStore {
    /// A token and when it is to be renewed, milliseconds since 1970.
    fn load(&mut self, name: &str) -> Option<Token>;
    /// Keeps a token durably.
    ///
    /// # Errors
    /// Why it was not kept: then it must not be used.
    fn save(&mut self, name: &str, value: &str, renew_at: Option<i64>) -> Result<(), String>;
    /// Forgets a token.
    fn forget(&mut self, name: &str);
}

impl Client<'_> {
    /// The token that the widget API takes.
    pub(super) fn oauth_token(&mut self) -> Result<Zeroizing<String>, Verdict> {
        self.bind();
        let now = self.clock.now().wall;
        if let Some((token, renew_at)) = self.tokens.load("oauth")
            && renew_at.is_none_or(|at| at > now)
        {
            return Ok(token);
        }
        self.refresh()
    }

    /// The token that REST v1 takes.
    pub(super) fn jwt(&mut self) -> Result<Zeroizing<String>, Verdict> {
        self.bind();
        let now = self.clock.now().wall;
        if let Some((token, renew_at)) = self.tokens.load("jwt")
            && renew_at.is_none_or(|at| at > now)
        {
            return Ok(token);
        }
        self.exchange()
    }

    /// Whether the REST host takes what the widget API takes. `Err` when either was not answered.
    pub(super) fn is_exchangeable(&mut self) -> Result<bool, Verdict> {
        let oauth = self.oauth_token()?;
        let token = self.credentials.api_token.clone().unwrap_or(oauth);
        match self.exchange_for(&token) {
            Ok(_) => Ok(true),
            Err(verdict) if verdict.refusal() == Some(Refusal::Unauthorized) => Ok(false),
            Err(verdict) => Err(verdict),
        }
    }

    /// After a 401: forgets the token that failed, unless a newer one is there already.
    pub(super) fn drop_token(&mut self, name: &str, failed: &str) {
        if self.tokens.load(name).is_some_and(|(token, _)| token.as_str() == failed) {
            self.tokens.forget(name);
        }
    }

    /// Forgets everything that was derived from other credentials or for other hosts.
    fn bind(&mut self) {
        let binding = self.credentials.binding(self.hosts);
        if self.tokens.load("binding").is_some_and(|(known, _)| known.as_str() == binding) {
            return;
        }
        for name in ["refresh", "oauth", "jwt"] {
            self.tokens.forget(name);
        }
        // When it is not kept, the next call forgets once more: slower, never wrong.
        let _ = self.tokens.save("binding", &binding, None);
    }

    /// A JWT for the static token, or for the OAuth token.
    fn exchange(&mut self) -> Result<Zeroizing<String>, Verdict> {
        if let Some(token) = self.credentials.api_token.clone() {
            return self.exchange_for(&token);
        }
        let token = self.oauth_token()?;
        match self.exchange_for(&token) {
            Err(verdict) if verdict.refusal() == Some(Refusal::Unauthorized) => {
                // The OAuth token may have ended early: one fresh one is tried.
                self.drop_token("oauth", &token);
                let fresh = self.oauth_token()?;
                self.exchange_for(&fresh)
            }
            other => other,
        }
    }

    fn exchange_for(&mut self, token: &str) -> Result<Zeroizing<String>, Verdict> {
        let body = Zeroizing::new(json!({ "bearerToken": token }).to_string().into_bytes());
        let url = format!("{}/api/Auth/ExchangeToken", self.hosts.api);
        let request =
            Request { method: "POST", url, bearer: None, body: Body::Bytes("application/json", body), deadline: None };
        let response = of_auth(self.transport.send(request))?;
        let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let jwt = text(&value, &["token", "jwt", "accessToken"]).or_else(|| value.as_str().map(ToOwned::to_owned));
        let Some(jwt) = jwt.map(Zeroizing::new) else {
            return Err(Verdict::refused(Refusal::Unreachable, Code::TrackerUnreadable, "ExchangeToken gave no token"));
        };
        let now = self.clock.now().wall;
        // The end is by Tracker's clock: against its own date it is a life, whatever our clock says.
        let there = response.date.map_or(now, |date| date * 1_000);
        let said = value.get("expiration").and_then(Value::as_str).and_then(super::time::millis_of);
        let life = said.or_else(|| claimed_end(&jwt)).map(|ends| ends - there).filter(|life| *life > 0);
        let _ = self.tokens.save("jwt", &jwt, Some(renewal(now, life.unwrap_or(JWT_LIFE_MS))));
        Ok(jwt)
    }

    /// A fresh OAuth token. The refresh token that Tracker gave last wins over the one that was entered; when
    /// it fails for good, the entered one is tried once.
    fn refresh(&mut self) -> Result<Zeroizing<String>, Verdict> {
        let (Some(seed), Some(secret)) =
            (self.credentials.refresh_token.clone(), self.credentials.client_secret.clone())
        else {
            return Err(Verdict::refused(
                Refusal::Unauthorized,
                Code::TrackerNoCredentials,
                "client secret or refresh token is not set",
            ));
        };
        let rotated = self.tokens.load("refresh").map(|(token, _)| token);
        let first = rotated.clone().unwrap_or_else(|| seed.clone());
        match self.refresh_with(&first, &secret) {
            Err(verdict) if verdict.refusal() == Some(Refusal::Unauthorized) && first != seed => {
                let result = self.refresh_with(&seed, &secret);
                if result.is_ok() && self.tokens.load("refresh").is_some_and(|(kept, _)| kept == first) {
                    self.tokens.forget("refresh");
                }
                result
            }
            other => other,
        }
    }

    fn refresh_with(&mut self, refresh_token: &str, secret: &str) -> Result<Zeroizing<String>, Verdict> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("client_id", &self.credentials.client_id);
        form.append_pair("client_secret", secret).append_pair("refresh_token", refresh_token);
        if let Some(uri) = &self.credentials.redirect_uri {
            form.append_pair("redirect_uri", uri);
        }
        let body = Zeroizing::new(form.finish().into_bytes());
        let url = format!("{}/oAuth2/Token", self.hosts.oauth);
        let request = Request {
            method: "POST",
            url,
            bearer: None,
            body: Body::Bytes("application/x-www-form-urlencoded", body),
            deadline: None,
        };
        let response = of_auth(self.transport.send(request))?;
        let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let Some(token) = text(&value, &["access_token", "Token", "token"]).map(Zeroizing::new) else {
            return Err(Verdict::refused(Refusal::Unreachable, Code::TrackerUnreadable, "oAuth2/Token gave no token"));
        };
        // The new refresh token is on disk before anything depends on it: the old one may be void already.
        if let Some(rotated) = text(&value, &["refresh_token"]).map(Zeroizing::new)
            && rotated.as_str() != refresh_token
        {
            self.keep_rotated(&rotated)
                .map_err(|error| Verdict::refused(Refusal::Unreachable, Code::StoreIo, error))?;
        }
        let life = super::outcome::number(value.get("expires_in"))
            .filter(|seconds| *seconds > 0)
            .map_or(OAUTH_LIFE_MS, |seconds| seconds.saturating_mul(1_000));
        let _ = self.tokens.save("oauth", &token, Some(renewal(self.clock.now().wall, life)));
        Ok(token)
    }

    /// Keeps a new refresh token. A write that fails is tried again: this is the token's only copy, and without it somebody
    /// would have to paste a new one.
    fn keep_rotated(&mut self, rotated: &str) -> Result<(), String> {
        let mut kept = self.tokens.save("refresh", rotated, None);
        for pause in KEEP_AGAIN_AFTER {
            if kept.is_ok() {
                break;
            }
            self.clock.sleep(pause);
            kept = self.tokens.save("refresh", rotated, None);
        }
        kept
    }
}

/// The verdict on a request for a token: refusals of any kind are the credentials' (ASSUMPTION U2, U3).
fn of_auth(answer: Result<Response, super::transport::Failure>) -> Result<Response, Verdict> {
    match of_read(answer) {
        Ok(response) if response.status == 204 => {
            Err(Verdict::refused(Refusal::Unreachable, Code::TrackerUnreadable, "no content"))
        }
        Ok(response) => {
            let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            // A refusal inside a 200 has been seen with other OAuth servers.
            if value.get("error").is_some() {
                return Err(Verdict::refused(Refusal::Unauthorized, Code::TrackerCredentials, words(&response)));
            }
            Ok(response)
        }
        Err(Verdict::NotApplied {
            why: Refusal::Rejected | Refusal::Forbidden | Refusal::Unauthorized,
            message,
            retry_after,
            ..
        }) => Err(Verdict::NotApplied {
            why: Refusal::Unauthorized,
            code: Code::TrackerCredentials,
            message,
            retry_after,
        }),
        Err(other) => Err(other),
    }
}

const fn renewal(now: i64, life: i64) -> i64 {
    let tenth = life / 10;
    now.saturating_add(life - if tenth < AHEAD_MS { tenth } else { AHEAD_MS })
}

/// The end that a JWT claims (`exp`), milliseconds since 1970. Nothing is believed of it beyond that: Tracker decides.
fn claimed_end(jwt: &str) -> Option<i64> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    super::outcome::number(claims.get("exp"))?.checked_mul(1_000)
}

fn text(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| value.get(*name)?.as_str()).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}
