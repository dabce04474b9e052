//! Hostile input by the hundred thousand: well-formed beginnings, bent at random, into everything that reads what others
//! wrote. Nothing may panic, and nothing may be taken that should not be.
//!
//! `MUTATIONS=2000000` sets how many inputs, `SEED=1` which; a failing input is printed with its number.

use std::panic::{AssertUnwindSafe, catch_unwind};

use halt_tracker::ingest::IngestError;
use halt_tracker::ingest::body::{self, FileSink};
use halt_tracker::ingest::files::{self, Content};
use halt_tracker::ingest::form;
use halt_tracker::ingest::json::Reader;
use halt_tracker::ingest::signature::{Envelope, verify};
use halt_tracker::mapping::{apply, language, profile, template};
use halt_tracker::settings::{Api, Settings};
use halt_tracker::submission::Submission;
use halt_tracker::tracker::outcome::{Verdict, of_change};
use halt_tracker::tracker::time::{millis_of, seconds_of_http_date};
use halt_tracker::tracker::transport::Response;
use serde_json::Value;
use zeroize::Zeroizing;

/// Where every input begins.
const CORPUS: &[&[u8]] = &[
    br#"{"form_id":"careers-form","fields":{"first_name":"Jane","n":1.50,"list":["a",{"b":null}]},"meta":{"utm":"x"},"files":[{"field":"cv","name":"a.pdf","mime":"x","content":"JVBERi0x","encoding":"base64"}]}"#,
    br#"{"id":"00000000-0000-4000-8000-000000000001","received_at":1,"fields":{"name":"Ada","c":[]},"info":{"contact_form_id":"x","contact_form_unique_id":"","post_id":false},"token":"t"}"#,
    br#"{"fullName":"name","email":"email","customFields.7":"a.b","source":":Website","salary":"n"}"#,
    br#"{"id":7,"success":true,"message":"ok","status":0,"recordId":5,"errors":{"email":["bad"]}}"#,
    br#"[{"id":7,"success":true}]"#,
    "\"\\ud83d\\ude00 \\u0041 é\"".as_bytes(),
    b"%PDF-1.7\n1 0 obj",
    b"PK\x03\x04............word/document.xmlPK\x01\x02\x14\x00\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00word/document.xmlPK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x3f\x00\x00\x00\x21\x00\x00\x00\x00\x00",
    b"2026-03-01T12:00:00.250+01:00",
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"Subject {{form_id}} {{ fields.name }} {{record.id}} {{",
    b"1772366400",
];

/// What a random change likes to put in.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"-",
    b"1e999",
    b"0",
    b"\xff",
    b"\x00",
    b"\xef\xbb\xbf",
    b"../",
    b"{{",
    b"}}",
    b".",
    b"99999999999999999999",
    b"PK\x05\x06",
    b"PK\x01\x02",
    b"\n",
    b"=",
    b"true",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn bent(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = CORPUS[dice.below(CORPUS.len())].to_vec();
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 => drop(bytes.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..(at + dice.below(8)).min(bytes.len()))),
            4 => {
                let end = (at + dice.below(24)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let other = CORPUS[dice.below(CORPUS.len())];
                let from = dice.below(other.len());
                bytes.splice(at..at, other[from..].iter().copied());
            }
        }
    }
    bytes
}

#[derive(Default)]
struct Counted(usize);
impl FileSink for Counted {
    fn begin(&mut self) -> Result<(), IngestError> {
        Ok(())
    }
    fn write(&mut self, bytes: &[u8]) -> Result<(), IngestError> {
        self.0 += bytes.len();
        Ok(())
    }
    fn end(&mut self, _: &str, _: &str) -> Result<(), IngestError> {
        Ok(())
    }
}

struct Bytes<'a>(&'a [u8]);
impl Content for Bytes<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&mut self, at: u64, out: &mut [u8]) -> std::io::Result<usize> {
        let from = self.0.get(at as usize..).unwrap_or_default();
        let count = from.len().min(out.len());
        out[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }
}

/// Everything that reads foreign bytes. Returns how many readers took them.
fn read_everywhere(bytes: &[u8], secret: &[(i64, Zeroizing<String>)]) -> usize {
    let mut taken = 0;
    let strict = Reader::new(bytes).and_then(|mut reader| {
        reader.begin();
        let value = reader.value()?;
        reader.end().map(|()| value)
    });
    if let Ok(value) = strict {
        taken += 1;
        assert_eq!(
            serde_json::from_slice::<Value>(bytes).ok().as_ref(),
            Some(&value),
            "taken, and serde_json disagrees"
        );
    }
    if body::parse(bytes, &mut Counted::default()).is_ok() {
        taken += 1;
        assert!(serde_json::from_slice::<Value>(bytes).is_ok_and(|value| value["form_id"].is_string()
            && value["fields"].is_object()
            || value["fields"].is_array()));
    }
    if let Ok(read) = form::read(bytes) {
        taken += 1;
        through_a_mapping(&read.submission);
    }
    let text = String::from_utf8_lossy(bytes);
    taken += usize::from(language::parse(&text).is_ok())
        + usize::from(millis_of(&text).is_some())
        + usize::from(seconds_of_http_date(&text).is_some());
    let _ = template::unknown(&text);
    for name in ["cv.pdf", "cv.docx", "cv.odt", "cv.txt", "cv.doc", &text] {
        let judged = files::judge(name, &mut Bytes(bytes), "pdf,doc,docx,odt,rtf,txt,jpg,png");
        assert!(judged.name.len() <= 100 && !judged.name.contains(['/', '\\', '\0']), "{:?}", judged.name);
        taken += usize::from(judged.refused.is_none());
    }
    for status in [200, 201, 400] {
        for widget in [true, false] {
            let response = Response { status, retry_after: None, date: None, body: bytes.to_vec() };
            let verdict = of_change(Ok(response), widget);
            assert!(verdict.message().chars().count() <= 600 && !verdict.message().contains('\0'));
            if let Verdict::Done { id: Some(id), .. } = verdict {
                assert!(id > 0 && status != 400);
                taken += 1;
            }
        }
    }
    // No forged timestamp or signature is ever right.
    let envelope =
        Envelope { timestamp: text.chars().take(12).collect(), signature: hex(bytes), ..Envelope::default() };
    assert!(verify(&envelope, bytes, secret, 1_772_366_400).is_err(), "a forged signature was taken");
    taken
}

fn through_a_mapping(submission: &Submission) {
    let settings = Settings::parse(r#"{"record_type":"Lead"}"#).expect("settings");
    let profile = profile(&settings, &submission.form).expect("a profile");
    for api in [Api::Widget, Api::Rest] {
        let _ = apply(&profile, api, submission);
    }
    let _ = template::render("{{fields.name}} {{meta.a}} {{form_id}}", &template::TemplateValues { submission });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hostile_input_never_panics_and_is_never_taken_wrongly() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (many, seed) = (number("MUTATIONS", 60_000), number("SEED", 1));
    let secret = [(1, Zeroizing::new("a shared secret of more than thirty-two letters".to_owned()))];
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut taken = 0;
    for at in 0..many {
        let bytes = bent(&mut dice);
        match catch_unwind(AssertUnwindSafe(|| read_everywhere(&bytes, &secret))) {
            Ok(count) => taken += count,
            Err(_) => panic!("input {at} of SEED={seed}: {:?}", String::from_utf8_lossy(&bytes)),
        }
    }
    println!("mutations: {many} inputs, {taken} times something was taken, 0 panics, 0 wrong accepts");
    assert!(taken as u64 > many / 20, "the inputs were bent too far to show anything");
}
