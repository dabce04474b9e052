//! What a person finds who is asked: the code, the reason, and the lines of the journal and the ids in Tracker by which the
//! question can be decided. A submission that asks without them is as good as lost.

use halt_tracker::queue::state::State;
use halt_tracker::queue::view::Item;
use serde_json::Value;

use crate::case::{Case, Sent};
use crate::ledgers::Ledgers;
use crate::wire::NOBODY;

/// The journal of a submission that asks, and its steps.
pub struct Evidence<'a> {
    pub journal: &'a [Value],
    pub steps: &'a [Value],
}

/// The whole numbers of a text: ids as they stand in a message.
fn ids(text: &str) -> Vec<i64> {
    text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// How the trouble began: from these lines on nobody knows what Tracker holds.
const LOST: [&str; 4] = ["answer lost", "applied", "run ended abruptly", "already there"];

impl Evidence<'_> {
    fn lines<'a>(&'a self, fits: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a Value> {
        self.journal.iter().filter(move |line| line["event"].as_str().is_some_and(&fits))
    }

    fn many(&self, event: &str) -> usize {
        self.lines(|said| said == event).count()
    }

    /// That something was lost, and that it was looked for afterwards: at which step, and when.
    fn looks_after_a_loss(&self, least: usize) -> Result<(), String> {
        // In the order of the lines: a clock that is set back writes an earlier time beside a later one.
        let is_lost = |line: &Value| line["event"].as_str().is_some_and(|said| LOST.contains(&said));
        let lost = self.journal.iter().position(is_lost).ok_or("nothing says that an answer was lost")?;
        let is_look =
            |line: &&Value| line["event"].as_str().is_some_and(|said| said.starts_with("looked") || said == "absent");
        let looks = self.journal[lost..].iter().filter(is_look).filter(|line| line["step"] != "").count();
        if looks < least { Err(format!("{looks} looks are told of, {least} are needed")) } else { Ok(()) }
    }
}

/// What is missing for a person to decide, in words.
pub fn missing(case: &Case, held: &Ledgers, sent: &Sent, item: &Item, told: &Evidence<'_>) -> Result<(), String> {
    let code = item.code.as_deref().ok_or("no code")?;
    if item.reason.is_empty() {
        return Err(format!("{code} without a reason"));
    }
    // The journal ends with the question, in the same words.
    let asked = told.lines(|said| said == State::Attention.name() || said == "late twin");
    let asked = asked.last().ok_or("the journal does not say that somebody is asked")?;
    if asked["code"] != code || asked["message"] != item.message {
        return Err(format!("the page says {code} {:?}, the journal {asked}", item.message));
    }
    let candidates = |least: usize| {
        let ids = ids(&item.message);
        // Where Tracker lied about the id of what it had just made, that one stands beside the true ones.
        let is_lie = |id: i64| case.features.wrong_id && id == NOBODY && item.tracker_id == Some(NOBODY);
        let is_theirs = |id: &&i64| held.is_somewhere(**id, sent) || is_lie(**id);
        if ids.len() < least {
            return Err(format!("{} ids are named, {least} are needed: {:?}", ids.len(), item.message));
        }
        ids.iter().find(|id| !is_theirs(id)).map_or(Ok(()), |id| Err(format!("{id} is no record of this person")))
    };
    match code {
        "HT-1601" if told.many("run ended abruptly") < 3 => Err("it does not say that PHP died three times".into()),
        "HT-1601" => Ok(()),
        "HT-1602" | "HT-1612" => candidates(2),
        "HT-1616" => candidates(1),
        "HT-1603" | "HT-1513" => told.looks_after_a_loss(1),
        // A person who said that it is not there has looked.
        "HT-1604" if told.journal.iter().any(|line| line["event"] == "absent" && line["step"] == "") => Ok(()),
        "HT-1604" if told.many("absent") < 2 => Err("it does not say that it was absent twice".into()),
        "HT-1604" => told.looks_after_a_loss(6),
        "HT-1512" => told.looks_after_a_loss(0),
        "HT-1605" => parts(item, told),
        // Another account may be in force; where a record is known, its id is named.
        "HT-1610" if item.tracker_id.is_some() && ids(&item.message) != Vec::from_iter(item.tracker_id) => {
            Err(format!("the record {:?} is not named: {:?}", item.tracker_id, item.message))
        }
        "HT-1610" => Ok(()),
        other => Err(format!("nobody expects to be asked about {other} ({:?})", case.features)),
    }
}

/// Every part that was refused is named, with a code, and the journal has its line.
fn parts(item: &Item, told: &Evidence<'_>) -> Result<(), String> {
    let refused: Vec<&Value> = told.steps.iter().filter(|step| step["state"] == "rejected").collect();
    for step in &refused {
        let kind = step["kind"].as_str().unwrap_or_default();
        let told =
            told.lines(|said| said == "refused").any(|line| line["step"] == kind && line["code"] == step["code"]);
        if step["code"].is_null() || !item.message.contains(kind) || !told {
            return Err(format!("a part is refused and not accounted for: {step}"));
        }
    }
    if refused.is_empty() { Err("no part is refused".into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::counts::Counts;
    use crate::invariants::check;
    use crate::seeds::played;

    #[test]
    fn a_question_without_what_is_needed_to_decide_it_turns_a_seed_red() {
        let damages = [
            ("HT-1612", "the page and the journal ask the same", "UPDATE submission SET message = NULL"),
            (
                "HT-1612",
                "who is asked which of several it is finds their ids",
                "UPDATE submission SET message = NULL; UPDATE journal SET detail = NULL WHERE event = 'late twin'",
            ),
            (
                "HT-1603",
                "who is asked whether it is there finds what was looked for and when",
                "DELETE FROM journal WHERE event LIKE 'looked%' OR event = 'absent'",
            ),
            ("HT-1605", "a part that was refused is in the journal", "DELETE FROM journal WHERE event = 'refused'"),
            ("HT-1603", "a question has a reason", "UPDATE submission SET reason = ''"),
        ];
        let asks = |case: &Case, code: &str| {
            case.sent.iter().any(|sent| {
                let item = case.world.store.detail(&sent.id).map(|(_, item, _)| item);
                item.is_ok_and(|item| item.state == State::Attention && item.code.as_deref() == Some(code))
            })
        };
        let mut first = BTreeMap::new();
        for seed in 0..1_500 {
            let case = played(seed).expect("a seed that ends well");
            for (code, ..) in damages.iter().filter(|(code, ..)| asks(&case, code)) {
                first.entry(*code).or_insert(seed);
            }
            if damages.iter().all(|(code, ..)| first.contains_key(code)) {
                break;
            }
        }
        for (code, words, sql) in damages {
            let seed = first.get(code).unwrap_or_else(|| panic!("nobody asks with {code}"));
            let case = played(*seed).expect("as before");
            check(&case, &mut Counts::default()).expect("nothing is wrong");
            case.world.store.connection().execute_batch(sql).expect("damaged");
            let why = check(&case, &mut Counts::default()).expect_err(words);
            assert!(why.contains("asks a person, and"), "{words}: {why}");
            println!("mutation {words}: red ({why})");
        }
    }
}
