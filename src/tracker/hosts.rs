//! Which hosts an environment speaks with, and which overrides are allowed.

use crate::settings::{Environment, Settings};

/// The two hosts of an environment, without trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// OAuth2 and widget API.
    pub oauth: String,
    /// REST v1.
    pub api: String,
}

/// The hosts of the settings: the environment's (source: Tracker Academy, lessons 355 and 1273), or the
/// overrides `oauth_url` and `api_url`.
///
/// # Errors
/// Why an override is not allowed: it must be https, or http to a loopback address, without user or password.
pub fn of(settings: &Settings) -> Result<Hosts, String> {
    let (oauth, api) = match settings.environment() {
        Environment::Us => ("https://evoapius.tracker-rms.com", "https://evousapi.tracker-rms.com"),
        Environment::Ca => ("https://evoapica.tracker-rms.com", "https://evocaapi.tracker-rms.com"),
        Environment::Row => ("https://evoapi.tracker-rms.com", "https://evoglapi.tracker-rms.com"),
    };
    Ok(Hosts {
        oauth: override_of(settings, "oauth_url")?.unwrap_or_else(|| oauth.to_owned()),
        api: override_of(settings, "api_url")?.unwrap_or_else(|| api.to_owned()),
    })
}

fn override_of(settings: &Settings, name: &str) -> Result<Option<String>, String> {
    let Some(text) =
        settings.surrounding(name).and_then(serde_json::Value::as_str).filter(|text| !text.trim().is_empty())
    else {
        return Ok(None);
    };
    let url = url::Url::parse(text.trim()).map_err(|error| format!("{name}: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{name}: no user name or password may stand in it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{name}: no query may stand in it"));
    }
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return Err(format!("{name}: no host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(format!("{name}: must be https, or http to this very machine")),
    }
    Ok(Some(url.as_str().trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(json: &str) -> Result<Hosts, String> {
        of(&Settings::parse(json).expect("settings"))
    }

    #[test]
    fn each_environment_has_its_two_hosts() {
        for (name, oauth, api) in
            [("us", "evoapius", "evousapi"), ("ca", "evoapica", "evocaapi"), ("row", "evoapi", "evoglapi")]
        {
            let found = hosts(&format!(r#"{{"environment":"{name}"}}"#)).expect("hosts");
            assert_eq!(found.oauth, format!("https://{oauth}.tracker-rms.com"));
            assert_eq!(found.api, format!("https://{api}.tracker-rms.com"));
        }
    }

    #[test]
    fn overrides_are_https_or_loopback_and_carry_nobody() {
        assert_eq!(hosts(r#"{"oauth_url":"http://127.0.0.1:81/"}"#).expect("loopback").oauth, "http://127.0.0.1:81");
        assert!(hosts(r#"{"api_url":"https://api.example.org/base"}"#).is_ok());
        for bad in [
            "http://example.org",
            "http://127.0.0.1.example.org",
            "https://a:b@example.org",
            "ftp://127.0.0.1",
            "127.0.0.1",
            "http://localhost.example.org",
        ] {
            assert!(hosts(&format!(r#"{{"oauth_url":"{bad}"}}"#)).is_err(), "{bad}");
        }
    }
}
