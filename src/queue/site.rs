//! Which site calls, and how a store recognises it again.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::open::{FOLDER_MARK, hex};

/// Which site calls.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Site {
    /// Random, kept in an option.
    pub install_id: String,
    /// The site's address as its database has it.
    pub home: String,
    /// The epoch that the site remembers; empty while it never had a store.
    pub epoch: String,
    /// The run counter that the site remembers.
    pub counter: i64,
    /// The store's counter when the site read its own last; none when it has not been told. Another run may end between that
    /// read and this call.
    pub seen: Option<i64>,
    /// WordPress' environment type.
    pub environment: String,
    /// Whether a person chose to begin a new store in place of a lost one: it begins paused, because the lost
    /// one may have sent what comes again.
    pub start_new: bool,
    /// Whether a person said that this site has moved: the store is bound to its new address.
    #[serde(skip)]
    pub moved: bool,
    /// Whether a person named this folder as the site's own: a store has to be there, whole and with its key.
    #[serde(skip)]
    pub named: bool,
}

impl Site {
    /// The identity that this site had when it made the store in this folder, where it has another one since: the options of a
    /// copy were written over its own. The folder's mark holds the old install id, and under it this very address. What the
    /// site remembers of epoch and counter is the other store's.
    pub fn former(&self, dir: &Path) -> Option<Self> {
        let mark = std::fs::read_to_string(dir.join(FOLDER_MARK)).ok()?;
        let (id, print) = mark.trim_end().split_once('\n')?;
        let former = Self {
            install_id: id.to_owned(),
            epoch: String::new(),
            counter: 0,
            seen: None,
            start_new: false,
            named: true,
            ..self.clone()
        };
        (id.len() >= 16 && id != self.install_id && former.fingerprint() == print).then_some(former)
    }

    /// The address without scheme, `www.` and trailing slash: these change without the site being another.
    fn place(&self) -> String {
        let home = self.home.trim().to_lowercase();
        let bare = home.split_once("://").map_or(home.as_str(), |(_, rest)| rest);
        bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/').to_owned()
    }

    /// The address as a hash under the install id. Not under the key ring: a lost key must not turn the
    /// site into a stranger.
    pub(super) fn fingerprint(&self) -> String {
        use hmac::{Hmac, KeyInit, Mac};
        Hmac::<sha2::Sha256>::new_from_slice(self.install_id.as_bytes()).map_or_else(
            |_| String::new(),
            |mut mac| {
                mac.update(self.place().as_bytes());
                hex(&mac.finalize().into_bytes())
            },
        )
    }
}
