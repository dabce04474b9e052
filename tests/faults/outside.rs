//! The outside world: people who fill in forms, servers that post, administrators. Everybody wants something until it is
//! acknowledged, and repeats it in the way that is theirs.

use halt_tracker::clock::{Clock, SystemClock};
use halt_tracker::engine::{adopt, handles, manage, take, webhook};
use halt_tracker::queue::state::State;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use crate::site::{ByHand, Person, Rows, SHARED, Site, Wish};
use crate::system;

fn hash(bytes: &[u8]) -> String {
    use hmac::digest::Digest;
    halt_tracker::queue::open::hex(&sha2::Sha256::digest(bytes))
}

impl Site {
    pub fn save_secrets(&mut self) -> Result<(), String> {
        let all = [
            ("client_secret", "sim-client-secret-0123456789"),
            ("refresh_token", "sim-refresh-token-0123456789"),
            ("shared_secret", SHARED),
        ];
        for (name, value) in all {
            let answer = manage::save_secret(&self.call(), name, value).map_err(|error| error.to_string())?;
            self.remember(&answer);
        }
        self.secrets_saved = true;
        Ok(())
    }

    /// Tracker's new refresh token was lost with its answer, and it takes the old one no more: the screens ask for another
    /// authorisation, and an administrator pastes what it gave.
    pub fn paste(&mut self) {
        self.pasted += 1;
        let fresh = format!("sim-refresh-token-pasted-{:010}", self.pasted);
        let seed = json!({ "credentials": { "refresh_token": fresh } });
        self.tracker.borrow_mut().seed(&seed, self.clock.elsewhere()).expect("seeded");
        let answer = manage::save_secret(&self.call(), "refresh_token", &fresh).expect("saved");
        self.remember(&answer);
    }

    fn fields(&self, email: &str) -> Value {
        let name = email.split('@').next().unwrap_or_default();
        json!({ "name": format!("{name} Quercus"), "email": email, "message": format!("canary-letter of {email}") })
    }

    /// Somebody fills in a form; it is not sent yet.
    pub fn form(&mut self, name: &str, cv: bool) -> usize {
        let mut id = [0; 16];
        halt_tracker::clock::Random::bytes(&mut self.dice, &mut id);
        let id = uuid::Builder::from_random_bytes(id).into_uuid().hyphenated().to_string();
        if cv {
            // Each person's own: what two forms name goes to the first of them alone.
            let uploads = self.home.path().join("uploads");
            std::fs::copy(uploads.join("cv.pdf"), uploads.join(format!("{name}@example.org.pdf"))).expect("laid down");
        }
        self.person(name, Wish::Form { id, cv })
    }

    /// Somebody else's server has a signed request for us.
    pub fn hook(&mut self, name: &str) -> usize {
        let stamp = (SystemClock.now().wall / 1_000).to_string();
        let body = json!({ "form_id": "careers", "fields": self.fields(&format!("{name}@example.org")), "files": [
            { "field": "resume", "name": "cv.pdf", "mime": "application/pdf", "content": "JVBERi0xLjcKMSAwIG9iag==", "encoding": "base64" }
        ] });
        self.person(name, Wish::Hook { body: body.to_string(), stamp })
    }

    fn person(&mut self, name: &str, wish: Wish) -> usize {
        let email = format!("{name}@example.org");
        self.people.push(Person { email, wish, acknowledged: None, kept: None, by_hand: None, twice: false });
        self.people.len() - 1
    }

    fn files(&self, one: &Person, cv: bool) -> Value {
        let uploads = self.home.path().join("uploads");
        if cv {
            json!([{ "field": "cv", "path": uploads.join(format!("{}.pdf", one.email)), "name": "cv.pdf", "dirs": [uploads] }])
        } else {
            json!([])
        }
    }

    /// A form as the plugin keeps it when the engine is not there: the file in parts, the form itself last.
    fn rows(&self, one: &Person, id: &str, cv: bool, token: &str) -> Rows {
        let (mut rows, mut files) = (Rows::new(), self.files(one, cv));
        for file in files.as_array_mut().into_iter().flatten() {
            let bytes = std::fs::read(file["path"].as_str().expect("a path")).expect("an upload");
            let parts: Vec<&[u8]> = bytes.chunks(40_000).collect();
            let hashes: Vec<String> = parts.iter().map(|part| hash(part)).collect();
            file["kept"] = json!({ "first": rows.len() + 1, "hashes": hashes });
            (file["size"], file["modified"]) = (json!(bytes.len()), json!(1_700_000_000));
            rows.extend((rows.len() as u32 + 1..).zip(parts.into_iter().map(<[u8]>::to_vec)));
        }
        rows.push((0, self.form_json(one, id, token, &files)));
        rows
    }

    /// The engine is away while somebody sends a form: it is in the site's own table, and its visitor is thanked.
    pub fn keep(&mut self, at: usize) {
        let one = self.people[at].clone();
        let Wish::Form { id, cv } = &one.wish else { panic!("only forms are kept") };
        self.people[at].kept = Some(self.rows(&one, id, *cv, &one.email));
    }

    fn form_json(&self, one: &Person, id: &str, token: &str, files: &Value) -> Vec<u8> {
        let form = json!({ "id": id, "received_at": self.clock.now().wall, "timestamp": "", "fields": self.fields(&one.email),
            "info": { "contact_form_id": "f", "contact_form_unique_id": "11111111-2222-4333-8444-555555555555" }, "token": token, "files": files });
        form.to_string().into_bytes()
    }

    /// Tries once what a person wants. What was refused is kept or repeated by its sender, later.
    pub fn submit(&mut self, at: usize) -> Result<(), String> {
        let one = self.people[at].clone();
        let (id, answer) = match &one.wish {
            Wish::Form { id, cv } => {
                let fresh = uuid::Uuid::now_v7().hyphenated().to_string();
                let (id, token) = if self.new_ids { (&fresh, &fresh) } else { (id, &one.email) };
                let taken = match &one.kept {
                    Some(_) if self.new_ids => self.adopt(id, &self.rows(&one, id, *cv, token)),
                    Some(rows) => {
                        if self.row_first {
                            // Its visitor was thanked when it was kept, and does not come again.
                            (self.people[at].acknowledged, self.people[at].kept) = (Some(id.clone()), None);
                        }
                        self.adopt(id, rows)
                    }
                    None => {
                        let plain = self.form_json(&one, id, token, &self.files(&one, *cv));
                        take::accept(&self.call(), &plain).map_err(|error| error.to_string())
                    }
                };
                let answer = match taken {
                    Ok(answer) => answer,
                    Err(error) => {
                        // A3: the site's own table, if the process lives to write it.
                        if !system::is_dead() && one.kept.is_none() {
                            self.people[at].kept = Some(self.rows(&one, id, *cv, token));
                        }
                        return Err(error);
                    }
                };
                (answer["id"].as_str().map(str::to_owned), answer)
            }
            Wish::Hook { body, stamp } => {
                let answer = self.post(body, stamp);
                match answer["status"].as_i64() {
                    Some(202) => (answer["body"]["queue_id"].as_str().map(str::to_owned), answer),
                    Some(503) => return Err(answer.to_string()),
                    _ => return Err(format!("refused: {answer}")),
                }
            }
        };
        if system::is_dead() {
            // The answer never left.
            return Err("dead".into());
        }
        self.remember(&answer);
        let id = id.ok_or_else(|| format!("no id: {answer}"))?;
        let one = &mut self.people[at];
        one.twice |= one.acknowledged.as_ref().is_some_and(|earlier| *earlier != id);
        one.acknowledged = Some(id);
        one.kept = None;
        Ok(())
    }

    /// Row by row, until the engine says that it has it all.
    fn adopt(&self, id: &str, rows: &Rows) -> Result<Value, String> {
        // Sealed now and not then: the key pair is the same, and what counts is that it is taken once.
        let call = self.call();
        let public =
            handles::with_store(&call, |store| Ok(store.ring().box_public())).map_err(|error| error.to_string())?;
        for (part, plain) in rows {
            let sealed = crypto_box::PublicKey::from(public).seal(&mut crypto_box::aead::OsRng, plain).expect("sealed");
            let row = json!({ "id": id, "part": part, "hash": hash(plain), "key_id": "" }).to_string();
            let answer = adopt::adopt(&call, row.as_bytes(), &sealed).map_err(|error| error.to_string())?;
            if answer["complete"] == true {
                return Ok(answer);
            }
        }
        Err("the form itself was no end".into())
    }

    fn post(&self, body: &str, stamp: &str) -> Value {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SHARED.as_bytes()).expect("any length");
        mac.update(format!("{stamp}.{body}").as_bytes());
        let signature = halt_tracker::queue::open::hex(&mac.finalize().into_bytes());
        let request = json!({ "method": "POST", "content_type": "application/json", "timestamp": stamp, "signature": signature, "address": "192.0.2.1" });
        let mut settings = self.settings.clone();
        settings["key_file"] = json!(self.root().join("keys/key.php"));
        let dir = self.dir();
        let text = webhook::ingest(
            dir.to_str().expect("text").as_bytes(),
            self.identity.to_string().as_bytes(),
            settings.to_string().as_bytes(),
            request.to_string().as_bytes(),
            body.as_bytes(),
        );
        serde_json::from_str(&text).expect("JSON")
    }

    /// An action of an administrator.
    pub fn act(&mut self, action: &Value) -> Result<Value, String> {
        let answer = manage::act(&self.call(), action.to_string().as_bytes()).map_err(|error| error.to_string())?;
        if system::is_dead() {
            return Err("dead".into());
        }
        self.remember(&answer);
        Ok(answer)
    }

    /// `discard` or `erase`, on somebody who was acknowledged; remembered until it is answered.
    pub fn by_hand(&mut self, at: usize, action: &'static str) -> Result<(), String> {
        self.people[at].by_hand = Some(ByHand::Asked(action));
        let Some(id) = self.people[at].acknowledged.clone() else { return Err("not there yet".into()) };
        let answer = self.act(&json!({ "action": action, "ids": [id] }))?;
        let done = answer["changed"].as_array().is_some_and(|ids| !ids.is_empty());
        self.people[at].by_hand = Some(if done { ByHand::Done(action) } else { self.refused(&id, action)? });
        Ok(())
    }

    /// "This does not fit" is an answer too: somebody's earlier wish was done and its answer never heard, or it comes too
    /// late, because the submission was delivered meanwhile. Which of them, its page says.
    fn refused(&self, id: &str, action: &'static str) -> Result<ByHand, String> {
        let (_, item, _) =
            handles::with_store(&self.call(), |store| Ok(store.detail(id)?)).map_err(|e| e.to_string())?;
        match (action, item.state) {
            ("discard", State::Discarded) | ("erase", State::Erased) => Ok(ByHand::Done(action)),
            ("discard", State::Done) => Ok(ByHand::TooLate),
            (_, state) => Err(format!("{action} is refused in {state:?}")),
        }
    }
}
