//! Which account a run speaks for: its credentials, where its tokens are kept, and how a plan recognises it again.

use serde_json::Value;

use super::plan::Tenant;
use super::run::Runner;
use crate::queue::open::hex;
use crate::queue::state::Pause;
use crate::queue::{QueueError, Store};
use crate::settings::Settings;
use crate::tracker::hosts::Hosts;
use crate::tracker::tokens::{Credentials, Token, TokenStore};

impl Runner<'_> {
    /// Whether others were entered since this run began: that its own are refused says nothing about those.
    pub(super) fn speaks_of_old_credentials(&mut self, reason: Pause) -> Result<bool, QueueError> {
        Ok(reason == Pause::Credentials && self.store().fact("generation")? != self.tenant.generation)
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
    let secrets = [&credentials.client_secret, &credentials.refresh_token, &credentials.api_token];
    let text = secrets.map(|one| one.as_ref().map_or("", |value| value.as_str()));
    let joined = zeroize::Zeroizing::new(text.join("\0"));
    let mark = hex(&store.ring().hash("credentials", joined.as_bytes()));
    store.heed_credentials(&mark)
}

/// The account of hosts and credentials.
pub(super) fn tenant(store: &Store, hosts: &Hosts, settings: &Settings) -> Result<Tenant, QueueError> {
    let names = format!("{}\0{}\0{}", hosts.oauth, hosts.api, settings.text("client_id"));
    Ok(Tenant { hash: hex(&store.ring().hash("tenant", names.as_bytes())), generation: store.fact("generation")? })
}
