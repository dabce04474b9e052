//! The text by which what a submission made is found again in Tracker: unguessable, and of a form that nothing else has.

use crate::queue::open::hex;

const PREFIX: &str = "ht-";
/// Random bytes of a marker.
pub const BYTES: usize = 10;

/// The marker of random bytes: `ht-` and 20 hexadecimal digits.
pub fn of(bytes: [u8; BYTES]) -> String {
    format!("{PREFIX}{}", hex(&bytes))
}

/// Whether a text is a marker, of whichever submission.
pub fn is_one(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.len() == 2 * BYTES && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_told_from_other_references() {
        assert!(is_one(&of([0xa7; BYTES])));
        for other in ["", "ht-", "ht-1", "REF-2026", "ht-zzzzzzzzzzzzzzzzzzzz", "ht-a7a7a7a7a7a7a7a7a7a7a7"] {
            assert!(!is_one(other), "{other}");
        }
    }
}
