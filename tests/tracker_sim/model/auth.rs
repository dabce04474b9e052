//! Tracker's three layers of credentials: refresh token or static API token, OAuth token, JWT. Lifetimes, rotation and
//! the shape of the answers are switches, because none of them is documented.

use super::{Answer, Request, Tracker, codec};
use serde_json::{Map, Value, json};

/// Who may come in. Expiry times are ms since 1970.
pub struct Auth {
    pub client_id: String,
    pub client_secret: String,
    pub api_token: String,
    /// Refresh tokens with the time at which a rotated one dies.
    pub refresh: Vec<(String, Option<i64>)>,
    pub codes: Vec<String>,
    pub oauth: Vec<(String, i64)>,
    pub jwts: Vec<(String, i64)>,
    pub refreshes: u64,
    pub exchanges: u64,
    counter: u64,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            client_id: "EvoApi_1.0".to_owned(),
            client_secret: "sim-client-secret-0123456789".to_owned(),
            api_token: "sim-api-token-0123456789".to_owned(),
            refresh: vec![("sim-refresh-token-0123456789".to_owned(), None)],
            codes: Vec::new(),
            oauth: Vec::new(),
            jwts: Vec::new(),
            refreshes: 0,
            exchanges: 0,
            counter: 0,
        }
    }
}

impl Auth {
    fn mint(&mut self) -> String {
        self.counter += 1;
        codec::token(self.counter)
    }

    pub fn jwt_works(&self, token: Option<&str>, now: i64) -> bool {
        token.is_some_and(|token| self.jwts.iter().any(|(jwt, dies)| jwt == token && *dies > now))
    }

    pub fn oauth_works(&self, token: &str, now: i64) -> bool {
        self.oauth.iter().any(|(known, dies)| known == token && *dies > now)
    }

    fn mint_jwt(&mut self, now: i64, dies: i64) -> String {
        let signature = self.mint();
        let claims = json!({"sub": "sim", "iat": now / 1000, "exp": dies / 1000, "jti": self.counter});
        let header = codec::base64_url(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
        let claims = codec::base64_url(claims.to_string().as_bytes());
        format!("{header}.{claims}.{}", codec::base64_url(signature.as_bytes()))
    }

    /// Sets credentials from a seed, and revokes what it names.
    pub fn seed(&mut self, credentials: &Map<String, Value>, revoke: &[Value]) -> Result<(), String> {
        for (name, value) in credentials {
            let text = value.as_str().ok_or_else(|| format!("{name} is text"))?.to_owned();
            match name.as_str() {
                "client_id" => self.client_id = text,
                "client_secret" => self.client_secret = text,
                "api_token" => self.api_token = text,
                "refresh_token" => self.refresh = vec![(text, None)],
                "code" => self.codes.push(text),
                "oauth_token" => self.oauth.push((text, i64::MAX)),
                _ => return Err(format!("there is no credential {name}")),
            }
        }
        for what in revoke {
            match what.as_str().unwrap_or("") {
                "jwt" => self.jwts.clear(),
                "oauth" => self.oauth.clear(),
                "refresh" => self.refresh.clear(),
                "api_token" => self.api_token.clear(),
                other => return Err(format!("{other} cannot be revoked")),
            }
        }
        Ok(())
    }
}

impl Tracker {
    /// `POST /oAuth2/Token`.
    pub(super) fn token(&mut self, request: &Request, now: i64) -> Answer {
        let refuse = self.switches.token_error_status.parse().unwrap_or(400);
        let bad = |word: &str| Answer::json(refuse, &json!({"error": word}));
        let kind = request.header("content-type").unwrap_or("").to_ascii_lowercase();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return bad("invalid_request");
        }
        let fields = codec::form(&String::from_utf8_lossy(&request.body));
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
        if field("client_id") != self.auth.client_id || field("client_secret") != self.auth.client_secret {
            return bad("invalid_client");
        }
        let refresh = match field("grant_type") {
            "refresh_token" => {
                let given = field("refresh_token");
                self.auth.refresh.retain(|(_, dies)| dies.is_none_or(|at| at > now));
                let Some(at) = self.auth.refresh.iter().position(|(known, _)| known == given) else {
                    return bad("invalid_grant");
                };
                if self.switches.rotate_refresh_token {
                    let dies = now + self.switches.refresh_grace_ms;
                    self.auth.refresh[at].1.get_or_insert(dies);
                    let fresh = self.auth.mint();
                    self.auth.refresh.push((fresh.clone(), None));
                    Some(fresh)
                } else {
                    None
                }
            }
            "authorization_code" => {
                let Some(at) = self.auth.codes.iter().position(|known| known == field("code")) else {
                    return bad("invalid_grant");
                };
                self.auth.codes.remove(at);
                let fresh = self.auth.mint();
                self.auth.refresh.push((fresh.clone(), None));
                Some(fresh)
            }
            _ => return bad("unsupported_grant_type"),
        };
        self.auth.refreshes += 1;
        let token = self.auth.mint();
        let seconds = self.switches.oauth_lifetime_s;
        self.auth.oauth.retain(|(_, dies)| *dies > now);
        self.auth.oauth.push((token.clone(), now.saturating_add(seconds.saturating_mul(1000))));
        let mut body = Map::new();
        body.insert(self.switches.oauth_token_key.clone(), json!(token));
        if self.switches.oauth_token_key == "access_token" {
            body.insert("expires_in".to_owned(), json!(seconds));
        }
        if let Some(fresh) = refresh {
            body.insert("refresh_token".to_owned(), json!(fresh));
        }
        Answer::json(200, &Value::Object(body))
    }

    /// `GET /oAuth2/Authorize`: says yes at once and sends the browser back with a code.
    pub(super) fn authorize(&mut self, request: &Request) -> Answer {
        let fields = codec::form(&request.query);
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
        if field("client_id") != self.auth.client_id || field("redirect_uri").is_empty() {
            return Answer::json(400, &json!({"error": "invalid_request"}));
        }
        let code = self.auth.mint();
        self.auth.codes.push(code.clone());
        let (back, state) = (field("redirect_uri"), field("state"));
        let state = state
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") });
        let join = if back.contains('?') { '&' } else { '?' };
        let location = format!("{back}{join}code={code}&state={}", state.collect::<String>());
        Answer { headers: vec![("location".to_owned(), location)], ..Answer::empty(302) }
    }

    /// `POST /api/Auth/ExchangeToken`: OAuth token or static API token in, JWT out.
    pub(super) fn exchange(&mut self, request: &Request, now: i64) -> Answer {
        let Some(body) = request.json() else {
            return Answer::problem(400, "The body is not a JSON object.", None);
        };
        let given = body.get("bearerToken").and_then(Value::as_str).unwrap_or("");
        if given.is_empty() || !(self.auth.oauth_works(given, now) || given == self.auth.api_token) {
            let status = self.switches.exchange_error_status.parse().unwrap_or(401);
            return Answer::problem(status, "The bearer token is not valid.", None);
        }
        self.auth.exchanges += 1;
        self.auth.jwts.retain(|(_, dies)| *dies > now);
        if self.switches.jwt_single_valid {
            self.auth.jwts.clear();
        }
        let dies = now.saturating_add(self.switches.jwt_lifetime_s.saturating_mul(1000));
        let jwt = self.auth.mint_jwt(now, dies);
        self.auth.jwts.push((jwt.clone(), dies));
        if self.switches.exchange_shape == "bare" {
            return Answer::json(200, &json!(jwt));
        }
        Answer::json(200, &json!({"token": jwt, "expiration": self.date(dies)}))
    }
}
