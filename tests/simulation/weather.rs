//! How often a person is asked, by what happened to the site: to ask about everybody would lose nobody either, so that each
//! kind of trouble has a bound of its own.

use std::fmt::Write;

use crate::features::Features;

/// A kind of trouble, whether a seed meets it, and how many of a hundred submissions may end with a person. Of 2,500 seeds
/// (2026-11-28) two thirds of that did: the rest is for chance, since a kind has few seeds of its own.
type Kind = (&'static str, fn(&Features) -> bool, u64);

/// What only a person can decide, as far as a seed meets one of them and no other.
const SPECIAL: [Kind; 7] = [
    ("another account", |f| f.swap, 50),
    ("a restored store", |f| f.restore, 22),
    ("changed settings", |f| f.settings, 25),
    ("a blocked host", |f| f.blocked, 55),
    ("ignored filters", |f| f.unfiltered, 55),
    ("wrong ids", |f| f.wrong_id, 40),
    ("one who kills PHP", |f| f.poison, 70),
];

/// What a site should get over by itself. A seed may meet several.
const ORDINARY: [Kind; 9] = [
    ("jumps of the clock", |f| f.jumps, 32),
    ("a limit of requests", |f| f.limit, 32),
    ("refused credentials", |f| f.out, 30),
    ("stale searches", |f| f.stale, 30),
    ("a gap of hours", |f| f.gap, 30),
    ("slow searches", |f| f.lag > 0, 28),
    ("the same person", |f| f.same_person, 28),
    ("an existing person", |f| f.existing, 28),
    ("documents", |f| f.documents > 0, 30),
];

const SEVERAL: (&str, u64) = ("several of these", 45);
const KINDS: usize = SPECIAL.len() + 1 + ORDINARY.len();
/// Fewer submissions than these show nothing about a kind: about 2,000 seeds are needed for most.
const FEW: u64 = 200;

/// Submissions of each kind, and how many of them ask.
#[derive(Default, Debug, Clone)]
pub struct Shares([(u64, u64); KINDS]);

impl Shares {
    pub fn count(&mut self, features: &Features, asks: bool) {
        let special: Vec<usize> = (0..SPECIAL.len()).filter(|at| SPECIAL[*at].1(features)).collect();
        let kinds: Vec<usize> = match special[..] {
            [] => (0..ORDINARY.len()).filter(|at| ORDINARY[*at].1(features)).map(|at| SPECIAL.len() + 1 + at).collect(),
            [one] => vec![one],
            _ => vec![SPECIAL.len()],
        };
        for kind in kinds {
            self.0[kind].0 += 1;
            self.0[kind].1 += u64::from(asks);
        }
    }

    fn each(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        let of = |(name, _, most): &Kind| (*name, *most);
        let names = SPECIAL.iter().map(of).chain([SEVERAL]).chain(ORDINARY.iter().map(of));
        names.zip(&self.0).map(|((name, most), (all, asked))| (name, most, *all, *asked))
    }

    /// The kind of trouble in which a person is asked too often, in words.
    pub fn too_many(&self) -> Option<String> {
        let (name, most, all, asked) =
            self.each().find(|(_, most, all, asked)| *all >= FEW && asked * 100 > all * most)?;
        Some(format!("{asked} of {all} submissions ask a person under {name}, at most {most} of a hundred may"))
    }

    pub fn words(&self) -> String {
        let mut text = String::new();
        for (name, most, all, asked) in self.each() {
            let percent = asked as f64 * 100.0 / all.max(1) as f64;
            let _ = write!(text, "; {name} {asked} of {all} ({percent:.1} %, at most {most})");
        }
        text.trim_start_matches("; ").to_owned()
    }
}

#[test]
fn to_ask_about_everybody_of_one_kind_is_too_much() {
    for (at, (name, _, most)) in SPECIAL.iter().enumerate().map(|(at, kind)| (at, *kind)) {
        let mut shares = Shares::default();
        shares.0[at] = (1_000, most * 10);
        assert_eq!(shares.too_many(), None, "{name}");
        shares.0[at] = (1_000, most * 10 + 1);
        assert!(shares.too_many().is_some_and(|why| why.contains(name)), "{name}");
    }
}
