//! Which account a run speaks for: its credentials, where its tokens are kept, and how a plan recognises it again.

use serde_json::Value;

use super::deliver::{Claimed, Walk};
use super::plan::Tenant;
use super::rule::Rule;
use super::run::Runner;
use super::sight::Reading;
use crate::codes::Code;
use crate::queue::looks::Control;
use crate::queue::open::hex;
use crate::queue::state::{Pause, StepState};
use crate::queue::{QueueError, Store};
use crate::settings::{RecordType, Settings};
use crate::tracker::hosts::Hosts;
use crate::tracker::plan::StepKind;
use crate::tracker::tokens::{Credentials, Token, TokenStore};

impl Runner<'_> {
    /// Whether others were entered since this run began: that its own are refused says nothing about those.
    pub(super) fn speaks_of_old_credentials(&mut self, reason: Pause) -> Result<bool, QueueError> {
        Ok(reason == Pause::Credentials && self.store().fact("generation")? != self.tenant.generation)
    }

    /// F1: under other credentials or hosts than the plan's, the record is read first; a stranger's gets nothing.
    pub(super) fn check_tenant(&mut self, claimed: &Claimed) -> Result<Option<Walk>, QueueError> {
        let same = claimed.job.tenant == self.tenant.hash && claimed.job.generation == self.tenant.generation;
        if same || !(claimed.has_reached() || claimed.job.plan_fixed) || !self.policy.keeps(Rule::SameAccount) {
            return Ok(None);
        }
        let ask = |words: String| Ok(Some(Walk::ask("tenant", Code::RelayTenant, words)));
        // Absence in another account proves nothing about the first one: where nothing of this submission is known, a
        // person who was seen under the plan's very credentials tells whether it is the same account. To have been seen
        // before them is not enough: another account may have been in force between.
        let (kind, id, email) = match claimed.job.tracker_id {
            Some(id) => (claimed.plan.record_type, id, claimed.plan.email.clone()),
            None if claimed.job.tenant != self.tenant.hash => return ask(String::new()),
            None => {
                let kind = searched_type(claimed);
                let tenant = self.tenant.hash.clone();
                match self.store().control(&tenant, kind)? {
                    Some(known) if known.seen.contains(&claimed.job.generation) => (kind, known.id, Some(known.email)),
                    _ => return ask(String::new()),
                }
            }
        };
        let marker = &claimed.job.marker;
        let same_person = match self.read_known(claimed, kind, id)? {
            Reading::Record(Some(record)) => {
                email.is_some_and(|email| record.has_email(&email))
                    || record.has_marker(marker)
                    || (kind == RecordType::Lead && record.has_title(&claimed.plan.lead_name))
            }
            // A record that may not or cannot be read is nobody's for certain.
            Reading::Record(None) | Reading::Impossible => false,
            Reading::Failed(verdict) => return self.trouble(claimed, None, &verdict).map(Some),
        };
        if same_person { Ok(None) } else { ask(id.to_string()) }
    }

    /// Under new credentials the person whom look-ups must find is read once before anything else is done: only then is it
    /// known later to which account an answer belongs that was lost under them.
    pub(super) fn recognise_account(&mut self, claimed: &Claimed) -> Result<Option<Walk>, QueueError> {
        let (kind, tenant) = (searched_type(claimed), self.tenant.clone());
        let Some(known) = self.store().control(&tenant.hash, kind)? else { return Ok(None) };
        if self.recognised.contains(&kind) || known.seen.contains(&tenant.generation) {
            return Ok(None);
        }
        self.recognised.push(kind);
        match self.read_known(claimed, kind, known.id)? {
            Reading::Record(Some(record)) if record.has_email(&known.email) => {
                self.store().see_control(&tenant.hash, kind, &known, tenant.generation)?;
            }
            // Deleted or merged, or never in this account: the next look takes one from Tracker's own page. Where nobody can
            // read, the next person who is delivered is kept; to try it with every run would only cost requests.
            Reading::Record(_) | Reading::Impossible => self.store().set_control(&tenant.hash, kind, None)?,
            // Tracker asks for patience, and everybody heeds that.
            Reading::Failed(verdict) if verdict.is_asking_for_patience() => {
                return self.trouble(claimed, None, &verdict).map(Some);
            }
            // Nothing depends on it yet.
            Reading::Failed(_) => {}
        }
        Ok(None)
    }

    /// The first person that was delivered to a tenant is what later look-ups must find to be believed.
    pub(super) fn keep_control(&mut self, claimed: &Claimed) -> Result<(), QueueError> {
        let searched = searched_type(claimed);
        let kind = if claimed.plan.record_type == RecordType::Lead { StepKind::Contact } else { StepKind::Record };
        let step = claimed.job.steps.iter().find(|step| step.kind == kind && step.state == StepState::Done);
        let tenant = self.tenant.clone();
        if let (Some(id), Some(email)) = (step.and_then(|step| step.tracker_id), &claimed.plan.email)
            && self.store().control(&tenant.hash, searched)?.is_none()
        {
            let mut known = Control { email: email.clone(), id, seen: vec![claimed.job.generation] };
            // Where these are others, its record was read under them before anything hung on it.
            known.see(tenant.generation);
            self.store().set_control(&tenant.hash, searched, Some(&known))?;
        }
        Ok(())
    }
}

/// The type of record among which the person of a submission is: a Lead's person is a Contact.
fn searched_type(claimed: &Claimed) -> RecordType {
    match claimed.plan.record_type {
        RecordType::Lead => RecordType::Contact,
        other => other,
    }
}

/// Tokens as the client keeps them: in the store.
pub(crate) struct StoreTokens<'a> {
    pub store: &'a mut Store,
}

impl TokenStore for StoreTokens<'_> {
    fn load(&mut self, name: &str) -> Option<Token> {
        // A token that does not open is as good as none: the next layer makes a new one.
        self.store.token(name).ok().flatten()
    }

    fn save(&mut self, name: &str, value: &str, expires_at: Option<i64>) -> Result<(), String> {
        self.store.set_token(name, Some((value, expires_at))).map_err(|error| error.to_string())
    }

    fn forget(&mut self, name: &str) {
        let _ = self.store.set_token(name, None);
    }
}

/// The credentials in force: a constant before a saved value.
pub(crate) fn credentials(store: &Store, settings: &Settings) -> Result<Credentials, QueueError> {
    let value = |name: &str| -> Result<Option<zeroize::Zeroizing<String>>, QueueError> {
        let constant = settings.surrounding("constants").and_then(|all| all.get(name)).and_then(Value::as_str);
        match constant {
            Some(text) if !text.is_empty() => Ok(Some(zeroize::Zeroizing::new(text.to_owned()))),
            _ => Ok(store.secrets(name)?.into_iter().next().map(|(_, value)| value)),
        }
    };
    Ok(Credentials {
        client_id: settings.text("client_id"),
        client_secret: value("client_secret")?,
        refresh_token: value("refresh_token")?,
        api_token: value("api_token")?,
        redirect_uri: Some(settings.text("redirect_uri")).filter(|uri| !uri.trim().is_empty()),
    })
}

/// Credentials that a constant changed are new ones, as those that were saved: what was sent under the old ones may belong to
/// another account.
pub(super) fn heed_change(store: &mut Store, credentials: &Credentials) -> Result<(), QueueError> {
    let mark = mark_of(store, credentials);
    store.heed_credentials(&mark)
}

/// Whether credentials that were read are still those in force.
pub(super) fn are_in_force(store: &Store, settings: &Settings, read: &Credentials) -> Result<bool, QueueError> {
    Ok(mark_of(store, &credentials(store, settings)?) == mark_of(store, read))
}

fn mark_of(store: &Store, credentials: &Credentials) -> String {
    let secrets = [&credentials.client_secret, &credentials.refresh_token, &credentials.api_token];
    let text = secrets.map(|one| one.as_ref().map_or("", |value| value.as_str()));
    let joined = zeroize::Zeroizing::new(text.join("\0"));
    hex(&store.ring().hash("credentials", joined.as_bytes()))
}

/// The account of hosts and credentials.
pub(super) fn tenant(store: &Store, hosts: &Hosts, settings: &Settings) -> Result<Tenant, QueueError> {
    let names = format!("{}\0{}\0{}", hosts.oauth, hosts.api, settings.text("client_id"));
    Ok(Tenant { hash: hex(&store.ring().hash("tenant", names.as_bytes())), generation: store.fact("generation")? })
}
