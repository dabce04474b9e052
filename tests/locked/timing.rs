//! Measures whether the time of a refusal says how much of a signature was right. A time is reported, never a reason to
//! fail: another program on the same machine would decide the test. `SAMPLES=100000` sets how many of each kind.

use crate::draft::{FIRST, hex, mac};
use halt_tracker::ingest::signature::{Envelope, verify};
use std::hint::black_box;
use std::time::Instant;
use zeroize::Zeroizing;

const NOW: i64 = 1_772_366_400;

fn envelope(signature: String) -> Envelope {
    Envelope {
        method: "POST".into(),
        content_type: "application/json".into(),
        timestamp: NOW.to_string(),
        signature,
        ..Envelope::default()
    }
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

#[test]
fn the_time_of_a_refusal_is_measured_against_how_much_of_the_signature_was_right() {
    let samples: usize = std::env::var("SAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let body = b"{\"form_id\":\"careers\",\"fields\":{}}";
    let secrets = [(1_i64, Zeroizing::new(FIRST.to_owned()))];
    let right = mac(FIRST.as_bytes(), &[NOW.to_string().as_bytes(), b".", body].concat());
    let (mut prefix, mut first) = (right.clone(), right.clone());
    prefix[31] ^= 1;
    first[0] ^= 1;
    let kinds = [envelope(hex(&prefix)), envelope(hex(&first))];
    assert!(verify(&envelope(hex(&right)), body, &secrets, NOW).is_ok());
    let mut times = [Vec::with_capacity(samples), Vec::with_capacity(samples)];
    // Taken in turns, so that a slow moment of the machine meets both alike; the first are for warming up.
    for round in 0..samples + 500 {
        for at in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let started = Instant::now();
            let said = black_box(verify(black_box(&kinds[at]), black_box(body), &secrets, NOW));
            let took = started.elapsed().as_nanos() as f64;
            assert!(said.is_err());
            if round >= 500 {
                times[at].push(took);
            }
        }
    }
    let [a, b] = times;
    assert_eq!((a.len(), b.len()), (samples, samples));
    println!(
        "campaign timing: real clock: Welch's t, 31 right bytes against a wrong first byte: {:.2} over 2 x {samples} samples, {:.2} without the slowest tenth of each",
        welch(&a, &b),
        welch(&trimmed(&a), &trimmed(&b))
    );
}
