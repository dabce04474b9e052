//! The one table of error codes. The log, the CLI, the screens, the help pages and the tests read it,
//! so that a code can never say one thing here and another there. It decides nothing.
//!
//! Each row answers the three questions of a person who meets the code: what happened, is the data
//! safe, what do I do next. Numbers are stable for ever; a retired number is never given out again.
//! The first two digits name the part: 10 engine, 11 store, 12 webhook, 13 keys, 14 settings and
//! mapping, 15 Tracker, 16 relay, 17 files, 18 capture without the engine, 19 actions by hand.

/// Makes the enum and the table from the same rows.
macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal, $what:literal, $safe:literal, $next:literal;)+) => {
        /// A stable error code; shown as `HT-1203`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $title] $name = $number,)+
        }

        /// Every code, in the order of its number.
        pub const TABLE: &[Entry] = &[
            $(Entry { code: Code::$name, title: $title, what: $what, safe: $safe, next: $next },)+
        ];
    };
}

mod table;

use std::fmt;

pub use table::{Code, TABLE};

/// A row of the table, in plain English for a busy recruiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code that the row explains.
    pub code: Code,
    /// A headline of a few words.
    pub title: &'static str,
    /// What happened, one or two sentences.
    pub what: &'static str,
    /// Whether submissions and data are safe, one sentence.
    pub safe: &'static str,
    /// What to do next, one or two sentences.
    pub next: &'static str,
}

impl Code {
    /// The number alone: 1203.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The row of the table.
    pub fn entry(self) -> &'static Entry {
        // The macro writes enum and table from the same rows, so the first row is never the answer.
        TABLE.iter().find(|row| row.code == self).unwrap_or(&TABLE[0])
    }

    /// The code of a number, if there is one.
    pub fn from_number(number: u16) -> Option<Self> {
        TABLE.iter().map(|row| row.code).find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HT-{}", self.number())
    }
}

/// What every error of the crate can say: its stable code.
pub trait Coded: std::error::Error {
    /// The code under which logs, screens and answers show the error.
    fn code(&self) -> Code;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_happened_whether_data_is_safe_and_what_to_do() {
        for row in TABLE {
            assert!(!row.title.ends_with('.'), "{}: a title is no sentence", row.code);
            for text in [row.what, row.safe, row.next] {
                assert!(text.len() > 10 && text.ends_with('.'), "{}: {text}", row.code);
            }
        }
    }

    #[test]
    fn numbers_rise_and_find_their_row() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for row in TABLE {
            assert_eq!(Code::from_number(row.code.number()), Some(row.code));
            assert_eq!(row.code.entry(), row);
        }
        assert_eq!(Code::WebhookTimestampMissing.to_string(), "HT-1203");
    }
}
