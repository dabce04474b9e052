//! Whether a webhook request may be believed: envelope, timestamp, signature, in this order. The true reason of
//! a refusal goes to the administrator; the sender is told one and the same for all of them.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::codes::Code;

/// How far a timestamp may be from now, in seconds, both ends included.
pub const WINDOW_S: i64 = 300;

/// A request without its body, every header as the bytes that PHP delivered; empty when it was absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// The HTTP method.
    pub method: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `Content-Encoding`.
    pub content_encoding: String,
    /// `Content-Length`.
    pub content_length: String,
    /// `X-Halt-Timestamp`.
    pub timestamp: String,
    /// `X-Halt-Webhook-Signature`.
    pub signature: String,
    /// The sender's address, for the list of refused requests.
    pub address: String,
}

/// A request that is who it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The slot of the secret that fits.
    pub slot: i64,
    /// The MAC: the same one again is the same request.
    pub mac: [u8; 32],
}

/// Checks everything that needs no secret: method, media type, size.
///
/// # Errors
/// `HT-1209`, `HT-1210` or `HT-1211`.
pub fn check_envelope(envelope: &Envelope, body: usize, most: usize) -> Result<(), Code> {
    if envelope.method != "POST" {
        return Err(Code::WebhookMethod);
    }
    if !is_json(&envelope.content_type) || !envelope.content_encoding.trim().is_empty() {
        return Err(Code::WebhookContentType);
    }
    // What is no number, or one beyond every number, announces more than anybody takes.
    let announced = match envelope.content_length.trim() {
        "" => 0,
        text => text.parse::<usize>().unwrap_or(usize::MAX),
    };
    if announced > most || body > most {
        return Err(Code::WebhookTooLarge);
    }
    Ok(())
}

/// `application/json`, in UTF-8 or without a charset, with nothing else beside it.
fn is_json(header: &str) -> bool {
    let mut parts = header.split(';').map(str::trim);
    if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return false;
    }
    parts.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        parameter.is_empty()
            || (name.trim().eq_ignore_ascii_case("charset")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"))
    })
}

/// Checks timestamp and signature against every active secret: all are computed, none is compared early.
///
/// # Errors
/// The true reason, `HT-1203` to `HT-1208`.
pub fn verify(
    envelope: &Envelope,
    body: &[u8],
    secrets: &[(i64, Zeroizing<String>)],
    now_s: i64,
) -> Result<Verified, Code> {
    let stamp = envelope.timestamp.as_bytes();
    if stamp.is_empty() {
        return Err(Code::WebhookTimestampMissing);
    }
    if stamp.len() != 10 || !stamp.iter().all(u8::is_ascii_digit) || stamp.first() == Some(&b'0') {
        return Err(Code::WebhookTimestampForm);
    }
    if envelope.signature.is_empty() {
        return Err(Code::WebhookSignatureMissing);
    }
    let given = signature_bytes(envelope.signature.as_bytes()).ok_or(Code::WebhookSignatureForm)?;
    let seconds: i64 = envelope.timestamp.parse().map_err(|_| Code::WebhookTimestampForm)?;
    if (now_s - seconds).abs() > WINDOW_S {
        return Err(Code::WebhookTimestampOld);
    }
    let mut fits = None;
    for (slot, secret) in secrets {
        // HMAC takes keys of any length, so that nothing is skipped here.
        let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()) else { continue };
        mac.update(stamp);
        mac.update(b".");
        mac.update(body);
        if mac.verify_slice(&given).is_ok() {
            fits = Some(Verified { slot: *slot, mac: given });
        }
    }
    fits.ok_or(Code::WebhookSignatureWrong)
}

/// Exactly 64 lower-case hex digits.
fn signature_bytes(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? * 16 + digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "an example secret of forty characters!!!";
    const NOW: i64 = 1_772_366_400;

    fn signed(stamp: &str, body: &[u8]) -> Envelope {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
        mac.update(stamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        Envelope {
            method: "POST".into(),
            content_type: "application/json".into(),
            timestamp: stamp.into(),
            signature: crate::queue::open::hex(&mac.finalize().into_bytes()),
            ..Envelope::default()
        }
    }

    fn secrets() -> Vec<(i64, Zeroizing<String>)> {
        vec![(2, Zeroizing::new("another one".into())), (1, Zeroizing::new(SECRET.into()))]
    }

    #[test]
    fn a_signed_request_is_believed_within_the_window_to_the_second() {
        for (offset, fits) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            let envelope = signed(&(NOW + offset).to_string(), b"{}");
            assert_eq!(
                verify(&envelope, b"{}", &secrets(), NOW)
                    .map(|one| one.slot)
                    .map_err(|code| code == Code::WebhookTimestampOld),
                if fits { Ok(1) } else { Err(true) }
            );
        }
    }

    #[test]
    fn every_other_timestamp_is_refused() {
        for stamp in [
            "+772366400",
            " 1772366400",
            "1772366400 ",
            "01772366400",
            "1772366400.0",
            "1772366400000",
            "1.77e9",
            "0x69a4a600",
            "-1772366400",
            "1772366400, 1772366400",
            "１７７２３６６４００",
        ] {
            assert_eq!(
                verify(&signed(stamp, b"{}"), b"{}", &secrets(), NOW),
                Err(Code::WebhookTimestampForm),
                "{stamp}"
            );
        }
        assert_eq!(verify(&signed("", b"{}"), b"{}", &secrets(), NOW), Err(Code::WebhookTimestampMissing));
    }

    #[test]
    fn every_other_signature_is_refused() {
        let stamp = NOW.to_string();
        let right = signed(&stamp, b"{}");
        let with = |signature: String| Envelope { signature, ..right.clone() };
        for (signature, code) in [
            (String::new(), Code::WebhookSignatureMissing),
            (right.signature.to_uppercase(), Code::WebhookSignatureForm),
            (right.signature[..63].to_owned(), Code::WebhookSignatureForm),
            (format!("sha256={}", right.signature), Code::WebhookSignatureForm),
            (format!("{}, {}", right.signature, right.signature), Code::WebhookSignatureForm),
            ("0".repeat(64), Code::WebhookSignatureWrong),
        ] {
            assert_eq!(verify(&with(signature), b"{}", &secrets(), NOW), Err(code));
        }
        for body in [&b"{} "[..], b"{}\n", b"", b"{\"a\":1}"] {
            assert_eq!(verify(&right, body, &secrets(), NOW), Err(Code::WebhookSignatureWrong));
        }
        assert_eq!(verify(&right, b"{}", &[], NOW), Err(Code::WebhookSignatureWrong));
    }

    #[test]
    fn only_plain_json_posts_of_a_fitting_size_pass_the_envelope() {
        let right = signed("1772366400", b"{}");
        assert_eq!(check_envelope(&right, 2, 10), Ok(()));
        assert_eq!(
            check_envelope(
                &Envelope { content_type: "Application/JSON; charset=\"UTF-8\"".into(), ..right.clone() },
                2,
                10
            ),
            Ok(())
        );
        for kind in [
            "",
            "text/json",
            "application/json; charset=latin1",
            "application/jsonp",
            "application/json, application/json",
            "application/x-www-form-urlencoded",
        ] {
            assert_eq!(
                check_envelope(&Envelope { content_type: kind.into(), ..right.clone() }, 2, 10),
                Err(Code::WebhookContentType),
                "{kind}"
            );
        }
        assert_eq!(
            check_envelope(&Envelope { content_encoding: "gzip".into(), ..right.clone() }, 2, 10),
            Err(Code::WebhookContentType)
        );
        assert_eq!(
            check_envelope(&Envelope { content_length: "11".into(), ..right.clone() }, 0, 10),
            Err(Code::WebhookTooLarge)
        );
        for announced in ["99999999999999999999", "-1", "ten"] {
            let envelope = Envelope { content_length: announced.into(), ..right.clone() };
            assert_eq!(check_envelope(&envelope, 2, 10), Err(Code::WebhookTooLarge), "{announced}");
        }
        assert_eq!(check_envelope(&right, 11, 10), Err(Code::WebhookTooLarge));
        assert_eq!(check_envelope(&Envelope { method: "GET".into(), ..right }, 2, 10), Err(Code::WebhookMethod));
    }
}
