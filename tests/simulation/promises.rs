//! What is asked of a seed all the time and not only at its end: whoever was acknowledged is in the store after every run and
//! every crash, once (1, 10), and nothing of a person lies anywhere in the clear (8). Each of them is broken on purpose here.

use serde_json::json;

use crate::case::Case;
use crate::clear;
use crate::seeds::spoilt;

/// A promise that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    ToldTooEarly,
    ForgottenAfterACrash,
    StoredAgain,
    NameInTheStore,
    CvInAFile,
    NameInAReport,
}

impl Spoil {
    const ALL: [(Self, &'static str); 6] = [
        (Self::ToldTooEarly, "an answer comes after the commit, in a site"),
        (Self::ForgottenAfterACrash, "what was acknowledged is there after every crash, not only in the end"),
        (Self::StoredAgain, "what was acknowledged is there once"),
        (Self::NameInTheStore, "no name is in the clear in the store"),
        (Self::CvInAFile, "no CV is in the clear in a file"),
        (Self::NameInAReport, "no name is in what a run reports"),
    ];
}

/// Asks, right after a run, a crash or a restore.
pub fn kept(case: &mut Case, crashed: bool) -> Result<(), String> {
    let change = |case: &Case, sql: &str| case.world.store.connection().execute_batch(sql).map_err(|e| e.to_string());
    let spoilt = case.spoilt.filter(|_| !case.sent.is_empty());
    if spoilt == Some(Spoil::ForgottenAfterACrash) && crashed {
        // It is back before anybody looks at the end.
        change(case, "UPDATE submission SET id = id || '-gone' WHERE seq = 1")?;
        let asked = acknowledged(case);
        change(case, "UPDATE submission SET id = substr(id, 1, 36) WHERE seq = 1")?;
        return asked;
    }
    if spoilt == Some(Spoil::StoredAgain) {
        let again = json!({ "name": case.sent[0].name, "email": case.sent[0].email });
        case.world.submit(&again);
    }
    acknowledged(case)?;
    if case.is_searched() {
        clear::spoil(case);
        let found = clear::found(case);
        return if found.is_empty() { Ok(()) } else { Err(found.join("; ")) };
    }
    Ok(())
}

fn acknowledged(case: &Case) -> Result<(), String> {
    let known = case.sent.iter().filter(|sent| !case.forgotten.contains(&sent.id));
    let mut right = 0;
    for sent in known {
        match case.world.store.state_of(&sent.id) {
            Ok(Some(_)) => right += 1,
            Ok(None) => return Err(format!("{} was acknowledged and is not in the store", sent.id)),
            Err(error) => return Err(error.to_string()),
        }
    }
    let stored = case.world.number("SELECT count(*) FROM submission");
    if stored == right { Ok(()) } else { Err(format!("{right} were acknowledged, {stored} are in the store")) }
}

#[test]
fn a_promise_that_is_broken_on_purpose_turns_the_seeds_red() {
    for (spoil, words) in Spoil::ALL {
        // On a thread of its own: its stores are nobody else's afterwards.
        let play = move || (0..200).find_map(|seed| Some((seed, spoilt(seed, spoil).err()?)));
        let found = std::thread::spawn(play).join().expect("no panic");
        let (seed, why) = found.unwrap_or_else(|| panic!("{spoil:?}, and 200 seeds do not notice"));
        println!("mutation {words}: red ({why}; after {} seeds)", seed + 1);
    }
}
