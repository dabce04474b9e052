//! The fuzz targets without libFuzzer: every file of the corpora as it is, then bent at random, by the hundred thousand.
//! `tests/torture.sh` drives the same targets with libFuzzer, which sees where an input gets to.
//!
//! `INPUTS=2000000` sets how many, `SEED=1` which; a failing input is printed.

mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What a random change likes to put in, beside parts of the corpus.
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
    b"@1",
    b"$serde_json::private::Number",
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

fn bent(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..1 + dice.below(4) * dice.below(2) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 => drop(bytes.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 if dice.below(4) == 0 => bytes.truncate(at),
            3 => drop(bytes.drain(at..(at + dice.below(8)).min(bytes.len()))),
            4 => {
                let end = (at + dice.below(24)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len());
                bytes.splice(at..at, other[from..(from + 64).min(other.len())].iter().copied());
            }
        }
    }
    bytes
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&folder).expect("a corpus").flatten().map(|one| one.path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("read")).collect()
}

#[test]
fn hostile_input_never_panics_and_is_never_taken_wrongly() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (many, seed) = (number("INPUTS", 36_000) / targets::ALL.len() as u64, number("SEED", 1));
    for (name, target) in targets::ALL {
        let corpus = corpus(name);
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let try_one = |bytes: &[u8]| match catch_unwind(AssertUnwindSafe(|| target(bytes))) {
            Ok(taken) => u64::from(taken),
            Err(_) => panic!("{name} under SEED={seed}: {:?}", String::from_utf8_lossy(bytes)),
        };
        let whole: u64 = corpus.iter().map(|bytes| try_one(bytes)).sum();
        assert!(whole > 0, "{name}: nothing of the corpus is taken, so that nothing is shown");
        let taken: u64 = (0..many).map(|_| try_one(&bent(&mut dice, &corpus))).sum();
        println!(
            "campaign fuzz {name}: real engine: {} files of the corpus ({whole} taken), {many} bent inputs ({taken} taken), 0 panics, 0 wrong accepts",
            corpus.len()
        );
        assert!(taken > many / 100, "{name}: the inputs were bent too far to show anything");
    }
}
