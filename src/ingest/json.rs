//! Strict JSON, read once from front to back: no repeated keys, no lone surrogates, no NUL, bounded depth and
//! size. Long strings are handed on in pieces, so that a CV inside a body is never held a second time. That and
//! the repeated keys are what serde_json cannot do; `value` agrees with it on everything else (see the tests).

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::IngestError;

/// Nesting that no honest body needs.
const MOST_DEPTH: usize = 32;
/// Values that no honest body needs.
const MOST_NODES: usize = 10_000;
/// The name under which serde_json keeps the digits of a number: an object that carries it would be stored as one thing
/// and read back as another, or not at all.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Reads one JSON text.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    nodes: usize,
}

type Step<T> = Result<T, IngestError>;

impl<'a> Reader<'a> {
    /// A reader of a body's bytes.
    ///
    /// # Errors
    /// `HT-1212` when it is not UTF-8 or begins with a byte order mark.
    pub fn new(bytes: &'a [u8]) -> Step<Self> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.starts_with('\u{feff}') => {
                Err(IngestError::Json { line: 1, column: 1, words: "begins with a byte order mark".into() })
            }
            Ok(text) => Ok(Self { text, at: 0, depth: 0, nodes: 0 }),
            Err(error) => {
                let valid = bytes
                    .get(..error.valid_up_to())
                    .and_then(|valid| std::str::from_utf8(valid).ok())
                    .unwrap_or_default();
                Err(place(valid, valid.len(), "not UTF-8"))
            }
        }
    }

    /// Reads an object; `each` reads the value of every key.
    ///
    /// # Errors
    /// `HT-1212`, or what `each` says.
    pub fn object(&mut self, each: &mut dyn FnMut(&mut Self, String) -> Step<()>) -> Step<()> {
        self.enter(b'{', "an object")?;
        let mut seen = HashSet::new();
        let mut first = true;
        while !self.leaves(b'}', &mut first)? {
            let begin = self.at;
            let key = self.string()?;
            if !seen.insert(key.clone()) {
                return Err(place(self.text, begin, "a key is repeated"));
            }
            if key == NUMBER_TOKEN {
                return Err(place(self.text, begin, "a key that cannot be kept"));
            }
            self.space();
            self.expect(b':')?;
            self.space();
            each(self, key)?;
            self.space();
        }
        Ok(())
    }

    /// Reads a list; `each` reads every value.
    ///
    /// # Errors
    /// `HT-1212`, or what `each` says.
    pub fn array(&mut self, each: &mut dyn FnMut(&mut Self, usize) -> Step<()>) -> Step<()> {
        self.enter(b'[', "a list")?;
        let mut first = true;
        let mut count = 0;
        while !self.leaves(b']', &mut first)? {
            each(self, count)?;
            count += 1;
            self.space();
        }
        Ok(())
    }

    /// Reads a string.
    ///
    /// # Errors
    /// `HT-1212`.
    pub fn string(&mut self) -> Step<String> {
        let mut whole = String::new();
        self.pieces(&mut |piece| {
            whole.push_str(piece);
            Ok(())
        })?;
        Ok(whole)
    }

    /// Reads a string in pieces, unescaped.
    ///
    /// # Errors
    /// `HT-1212`, or what `sink` says.
    pub fn pieces(&mut self, sink: &mut dyn FnMut(&str) -> Step<()>) -> Step<()> {
        self.count()?;
        if self.peek() != Some(b'"') {
            return Err(self.wrong("a string was expected"));
        }
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
            if plain > 0 {
                sink(rest.get(..plain).unwrap_or_default())?;
                self.at += plain;
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    let letter = self.escape()?;
                    sink(letter.encode_utf8(&mut [0; 4]))?;
                }
                Some(_) => return Err(self.wrong("a control character must be escaped")),
                None => return Err(self.wrong("the text ends inside a string")),
            }
        }
    }

    /// Reads any value.
    ///
    /// # Errors
    /// `HT-1212`.
    pub fn value(&mut self) -> Step<Value> {
        match self.peek() {
            Some(b'{') => {
                let mut map = Map::new();
                self.object(&mut |reader, key| {
                    let value = reader.value()?;
                    map.insert(key, value);
                    Ok(())
                })?;
                Ok(Value::Object(map))
            }
            Some(b'[') => {
                let mut list = Vec::new();
                self.array(&mut |reader, _| {
                    list.push(reader.value()?);
                    Ok(())
                })?;
                Ok(Value::Array(list))
            }
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                self.count()?;
                for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
                {
                    if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.wrong("a value was expected"))
            }
        }
    }

    /// Skips white space before the first value.
    pub fn begin(&mut self) {
        self.space();
    }

    /// Nothing but white space may follow.
    ///
    /// # Errors
    /// `HT-1212`.
    pub fn end(&mut self) -> Step<()> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.wrong("something follows after the end")) }
    }

    fn number(&mut self) -> Step<Value> {
        self.count()?;
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .bytes()
            .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let digits = rest.get(..length).unwrap_or_default();
        // A number of a thousand digits is no number of a form.
        let number: Option<Number> = if length <= 100 { serde_json::from_str(digits).ok() } else { None };
        let number = number.ok_or_else(|| self.wrong("not a number"))?;
        self.at += length;
        Ok(Value::Number(number))
    }

    fn escape(&mut self) -> Step<char> {
        self.at += 1;
        let kind = self.peek();
        self.at += 1;
        let letter = match kind {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                self.at = (self.at - 1).min(self.text.len());
                return Err(self.wrong("an unknown escape"));
            }
        };
        Ok(letter)
    }

    fn unicode(&mut self) -> Step<char> {
        let first = self.four()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if self.text.get(self.at..).is_none_or(|rest| !rest.starts_with("\\u")) {
                return Err(self.wrong("half of a surrogate pair"));
            }
            self.at += 2;
            let second = self.four()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.wrong("half of a surrogate pair"));
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        match char::from_u32(code) {
            Some('\0') => Err(self.wrong("a NUL character")),
            Some(letter) => Ok(letter),
            None => Err(self.wrong("half of a surrogate pair")),
        }
    }

    fn four(&mut self) -> Step<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.wrong("an escape needs four hex digits"))?;
        self.at += 4;
        Ok(code)
    }

    fn enter(&mut self, open: u8, what: &str) -> Step<()> {
        self.count()?;
        if self.peek() != Some(open) {
            return Err(self.wrong(&format!("{what} was expected")));
        }
        if self.depth >= MOST_DEPTH {
            return Err(self.wrong("nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        Ok(())
    }

    /// At the end of an object or list, or past the comma before its next value.
    fn leaves(&mut self, close: u8, first: &mut bool) -> Step<bool> {
        if self.peek() == Some(close) {
            self.at += 1;
            self.depth -= 1;
            return Ok(true);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
            self.space();
        }
        Ok(false)
    }

    fn expect(&mut self, byte: u8) -> Step<()> {
        if self.peek() != Some(byte) {
            return Err(self.wrong(&format!("\"{}\" was expected", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    fn count(&mut self) -> Step<()> {
        self.nodes += 1;
        if self.nodes > MOST_NODES { Err(self.wrong("too many values")) } else { Ok(()) }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// An error at the present place.
    pub fn wrong(&self, words: &str) -> IngestError {
        place(self.text, self.at, words)
    }
}

fn place(text: &str, at: usize, words: &str) -> IngestError {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    IngestError::Json { line, column, words: words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Step<Value> {
        let mut reader = Reader::new(bytes)?;
        reader.begin();
        let value = reader.value()?;
        reader.end()?;
        Ok(value)
    }

    #[test]
    fn what_serde_json_lets_pass_is_refused_here() {
        let deep = "[".repeat(33) + &"]".repeat(33);
        let many = format!("[{}1]", "1,".repeat(10_000));
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#""\u0000""#,
            "\u{feff}{}",
            deep.as_str(),
            many.as_str(),
            r#"{"x":{"b":1,"b":1}}"#,
            r#"{"$serde_json::private::Number":"1"}"#,
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(40)]);
            if !bad.starts_with('\u{feff}') {
                assert!(serde_json::from_str::<Value>(bad).is_ok());
            }
        }
    }

    #[test]
    fn mistakes_are_named_with_line_and_column() {
        for (text, at) in [
            ("{\n \"a\" 1}", (2, 6)),
            ("{\"a\":\"é\" x}", (1, 10)),
            ("[1,]", (1, 4)),
            ("\"\\ud800\"", (1, 8)),
            ("01", (1, 1)),
            ("{} {}", (1, 4)),
            ("", (1, 1)),
        ] {
            match read(text.as_bytes()) {
                Err(IngestError::Json { line, column, .. }) => assert_eq!((line, column), at, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(read(b"\"a\xff\""), Err(IngestError::Json { column: 3, .. })));
    }

    #[test]
    fn numbers_keep_their_digits_and_php_slashes_are_read() {
        assert_eq!(read(b"12345678901234567890.10").expect("read").to_string(), "12345678901234567890.10");
        assert_eq!(read(br#""a\/b\ud83d\ude00""#).expect("read"), Value::from("a/b😀"));
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde_json_on_any_text(text in r#"[\[\]{}:,"0-9a-z\\. \-+eEtrufalsn]{0,24}"#) {
            let ours = read(text.as_bytes());
            let theirs = serde_json::from_str::<Value>(&text);
            if let Ok(value) = &ours {
                prop_assert_eq!(theirs.as_ref().ok(), Some(value));
            }
            if theirs.is_ok() && ours.is_err() {
                // Only what is strict on purpose.
                let words = format!("{:?}", ours.err());
                prop_assert!(words.contains("repeated") || words.contains("NUL") || words.contains("deeply"), "{}", words);
            }
        }
    }
}
