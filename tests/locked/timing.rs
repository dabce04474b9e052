//! The time of a refusal says nothing about how much of a signature was right. A bound in billionths of a second would measure the
//! machine, so that a comparison that does end early is timed in the same way: whatever slows the machine slows both, and the
//! engine's may tell a tenth of what that one tells, in the middle of five tries. A try in which even that one is hard to tell says
//! nothing and is repeated. What tells less than a tenth is left to review (SECURITY.md). `SAMPLES=100000` sets how many of each
//! kind are timed in a try.

use crate::draft::{FIRST, hex, mac};
use halt_tracker::ingest::signature::{Envelope, verify};
use std::hint::black_box;
use std::time::Instant;
use zeroize::Zeroizing;

const NOW: i64 = 1_772_366_400;
const BODY: &[u8] = b"{\"form_id\":\"careers\",\"fields\":{}}";
/// Tries that count, and tries at most.
const TRIES: usize = 5;
const MOST: usize = 15;
/// Below this even a comparison that ends early is drowned by the machine. On two cores with eight processes at work it came to 800
/// and more, now and then to 70; what has nothing to tell came to 5 at most (2026-11-28).
const LOUD: f64 = 100.0;

fn right() -> Vec<u8> {
    mac(FIRST.as_bytes(), &[NOW.to_string().as_bytes(), b".", BODY].concat())
}

fn envelope(signature: &[u8]) -> Envelope {
    Envelope {
        method: "POST".into(),
        content_type: "application/json".into(),
        timestamp: NOW.to_string(),
        signature: hex(signature),
        ..Envelope::default()
    }
}

/// What the engine must not do: it compares byte by byte and ends at the first one that is wrong.
fn ends_early(given: &[u8]) -> bool {
    right().iter().zip(given).all(|(one, other)| one == other)
}

/// Without the slowest tenth: that measures the scheduler.
fn trimmed(list: &[f64]) -> Vec<f64> {
    let mut list = list.to_vec();
    list.sort_by(f64::total_cmp);
    list.truncate(list.len() * 9 / 10);
    list
}

/// Welch's t of two samples.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let spread = |list: &[f64], mean: f64| {
        list.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (list.len() - 1) as f64 / list.len() as f64
    };
    let (first, second) = (mean(a), mean(b));
    (first - second) / (spread(a, first) + spread(b, second)).sqrt()
}

/// Times two refusals in turns, so that a slow moment of the machine meets both alike, and from one piece of memory: from two, t
/// came to 46 for the pieces alone (2026-11-28).
fn compare<T>(samples: usize, given: &mut T, lay: impl Fn(&mut T, usize), is_taken: impl Fn(&T) -> bool) -> f64 {
    const WARM: usize = 500;
    let mut times = [Vec::with_capacity(samples), Vec::with_capacity(samples)];
    for round in 0..samples + WARM {
        for at in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            lay(given, at);
            let started = Instant::now();
            let taken = black_box(is_taken(black_box(given)));
            let took = started.elapsed().as_nanos() as f64;
            assert!(!taken, "a wrong signature was taken");
            if round >= WARM {
                times[at].push(took);
            }
        }
    }
    welch(&trimmed(&times[0]), &trimmed(&times[1]))
}

#[test]
fn the_time_of_a_refusal_does_not_say_how_much_of_the_signature_was_right() {
    let samples: usize = std::env::var("SAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let secrets = [(1_i64, Zeroizing::new(FIRST.to_owned()))];
    let right = right();
    assert!(verify(&envelope(&right), BODY, &secrets, NOW).is_ok());
    // 31 right bytes, and none.
    let wrong = [31, 0].map(|at: usize| {
        let mut wrong = right.clone();
        wrong[at] ^= 1;
        wrong
    });
    let texts = wrong.each_ref().map(|one| hex(one));
    let mut tries = Vec::new();
    for _ in 0..MOST {
        let lay = |one: &mut Envelope, at: usize| one.signature.clone_from(&texts[at]);
        let engine =
            compare(samples, &mut envelope(&right), lay, |one| verify(one, black_box(BODY), &secrets, NOW).is_ok());
        let lay = |one: &mut Vec<u8>, at: usize| one.clone_from(&wrong[at]);
        let early = compare(samples, &mut right.clone(), lay, |one| ends_early(one));
        if early.abs() >= LOUD {
            tries.push((engine.abs() / early.abs(), engine, early));
        }
        if tries.len() == TRIES {
            break;
        }
    }
    if tries.len() < TRIES {
        println!("skipped: the machine is too busy to tell one comparison from the other");
        return;
    }
    tries.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (share, engine, early) = tries[TRIES / 2];
    println!(
        "campaign timing: real clock: 31 right bytes against a wrong first byte, Welch's t without the slowest tenth of 2 x {samples} samples: {engine:.2}; of a comparison that ends early: {early:.2}"
    );
    assert!(share < 0.1, "the time tells as much as that of a comparison that ends early: {tries:.2?}");
}
