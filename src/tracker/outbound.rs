//! What WordPress lets out and through which proxy: `WP_HTTP_BLOCK_EXTERNAL` with `WP_ACCESSIBLE_HOSTS`, and
//! `WP_PROXY_*` with `WP_PROXY_BYPASS_HOSTS`, read as WordPress itself reads them.

use serde_json::Value;

use crate::settings::Settings;

/// The rules of one site.
pub(super) struct Outbound {
    /// Hosts that may be asked; `None` where nothing is blocked.
    allowed: Option<Vec<String>>,
    proxy: Option<String>,
    bypass: Vec<String>,
}

impl Outbound {
    pub fn of(settings: &Settings) -> Self {
        let text = |name: &str| settings.surrounding(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let allowed = settings.surrounding("blocked_hosts").and_then(Value::as_array);
        Self {
            allowed: allowed.map(|hosts| hosts.iter().filter_map(Value::as_str).map(host_of).collect()),
            proxy: Some(text("proxy")).filter(|proxy| !proxy.is_empty()),
            bypass: text("proxy_bypass").split(',').map(host_of).filter(|host| !host.is_empty()).collect(),
        }
    }

    /// Whether the site may not speak with the host of an address.
    pub fn blocks(&self, url: &str) -> bool {
        let Some(allowed) = &self.allowed else { return false };
        let Some(host) = url::Url::parse(url).ok().and_then(|url| url.host_str().map(host_of)) else { return true };
        host != "localhost" && !allowed.iter().any(|pattern| fits(pattern, &host))
    }

    /// The proxy, as reqwest takes it.
    ///
    /// # Errors
    /// When its address cannot be read: then nothing may be sent past it.
    pub fn proxy(&self) -> Result<Option<reqwest::Proxy>, String> {
        let Some(address) = &self.proxy else { return Ok(None) };
        let unreadable = || "the proxy's address cannot be read".to_owned();
        let address = url::Url::parse(address).map_err(|_| unreadable())?;
        if address.host_str().is_none() {
            return Err(unreadable());
        }
        let bypass = self.bypass.clone();
        Ok(Some(reqwest::Proxy::custom(move |url| {
            let host = url.host_str().map(host_of).unwrap_or_default();
            let past = host == "localhost" || bypass.iter().any(|pattern| fits(pattern, &host));
            (!past).then(|| address.clone())
        })))
    }
}

fn host_of(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whether a host is meant: the same name, or a pattern in which each `*` stands for one letter or more.
fn fits(pattern: &str, host: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == host };
    let Some(behind) = host.strip_prefix(before) else { return false };
    (1..=behind.len()).any(|at| behind.get(at..).is_some_and(|end| fits(rest, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Outbound {
        Outbound::of(&Settings::parse(json).expect("settings"))
    }

    #[test]
    fn a_star_stands_for_at_least_one_letter_anywhere_in_the_name() {
        let some = of(r#"{"blocked_hosts":["*.tracker-rms.com"," EVO*.example.org","127.0.0.1"]}"#);
        for (url, blocked) in [
            ("https://evoapi.tracker-rms.com/x", false),
            ("https://tracker-rms.com/", true),
            ("https://.tracker-rms.com.example.org/", true),
            ("https://evogl.example.org/", false),
            ("https://evo.example.org/", true),
            ("http://127.0.0.1:81/", false),
            ("http://localhost:81/", false),
            ("nonsense", true),
        ] {
            assert_eq!(some.blocks(url), blocked, "{url}");
        }
        assert!(!of("{}").blocks("https://anywhere.example/"));
        assert!(of(r#"{"blocked_hosts":[]}"#).blocks("https://evoapi.tracker-rms.com/"));
    }

    #[test]
    fn a_proxy_whose_address_cannot_be_read_lets_nothing_out() {
        assert!(of(r#"{"proxy":"http://"}"#).proxy().is_err());
        assert!(of(r#"{"proxy":"http://proxy.example:3128"}"#).proxy().is_ok_and(|proxy| proxy.is_some()));
        assert!(of("{}").proxy().is_ok_and(|proxy| proxy.is_none()));
    }
}
