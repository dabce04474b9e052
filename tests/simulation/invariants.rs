//! The invariants of the delivery, as queries over the store and over what Tracker holds. What was acknowledged and what lies
//! in the clear is asked in `promises.rs`.

use std::collections::{BTreeMap, BTreeSet};

use halt_tracker::queue::state::State;
use serde_json::Value;

use crate::case::Case;
use crate::counts::Counts;
use crate::doubled::{Told, nobody_is_doubled};
use crate::evidence::{self, Evidence};
use crate::ledgers::Ledgers;
use crate::wire::NOBODY;
use crate::world::World;

/// What must hold whenever no run is in progress and the last one ended by itself.
pub fn check_after_a_run(case: &mut Case) -> Result<(), String> {
    let world = &case.world;
    let none = |what: &str, sql: &str| match world.number(sql) {
        0 => Ok(()),
        many => Err(format!("{many} {what}")),
    };
    none("intents without a run", "SELECT count(*) FROM step WHERE state = 'intent'")?;
    none("submissions without a run", "SELECT count(*) FROM submission WHERE state = 'sending'")?;
    none("submissions that crashed more than three times", "SELECT count(*) FROM submission WHERE crashes > 3")?;
    none(
        "open steps of a submission that nobody follows",
        "SELECT count(*) FROM submission JOIN step USING (seq) WHERE step.state IN ('unknown','applied')
         AND submission.state NOT IN ('checking','attention')",
    )?;
    none("steps that were sent again more than twice", "SELECT count(*) FROM step WHERE resends > 2")?;
    let attempts = world.number("SELECT coalesce(sum(attempts), 0) FROM submission");
    if attempts > i64::try_from(world.wire.troubles).unwrap_or(0) {
        return Err(format!("{attempts} attempts were spent, {} requests failed", world.wire.troubles));
    }
    let sql = "SELECT seq, ordinal, tracker_id FROM step WHERE tracker_id IS NOT NULL AND state = 'done'";
    let mut statement = world.store.connection().prepare_cached(sql).map_err(|error| error.to_string())?;
    let mut rows = statement.query([]).map_err(|error| error.to_string())?;
    while let Ok(Some(row)) = rows.next() {
        let (seq, ordinal, id): (i64, i64, i64) = (num(row, 0), num(row, 1), num(row, 2));
        let known = *case.ids.entry((seq, ordinal)).or_insert(id);
        // Where Tracker lied about it, a person may name the true one.
        let is_corrected = case.features.wrong_id && known == NOBODY;
        if known != id && !is_corrected {
            return Err(format!("step {ordinal} of {seq} was {known} and is {id}"));
        }
    }
    Ok(())
}

fn num(row: &rusqlite::Row<'_>, at: usize) -> i64 {
    row.get(at).unwrap_or_default()
}

/// What must hold when all has come to its end. Whatever is wrong is counted, and said in words.
pub fn check(case: &Case, counts: &mut Counts) -> Result<(), String> {
    let mut wrong = Vec::new();
    let mut held = Ledgers::new(case);
    wrong.append(&mut held.wrong);
    let told = each_is_settled(case, &held, counts, &mut wrong);
    let ledgers: Vec<&Value> = held.accounts.iter().map(|ledger| &ledger.all).collect();
    nobody_is_doubled(case, &told, &ledgers, counts, &mut wrong);
    wrong.extend(held.children_are_at_home(case));
    counts.doubled_children += held.doubled_children() as u64;
    counts.restored += u64::from(case.features.restore);
    counts.swapped += u64::from(case.features.swap);
    counts.blocked += u64::from(case.features.blocked);
    let checked = case.world.store.connection().prepare_cached("PRAGMA main.integrity_check");
    match checked.and_then(|mut statement| statement.query_row([], |row| row.get::<_, String>(0))) {
        Ok(sound) if sound == "ok" => {}
        Ok(damage) => wrong.push(damage),
        Err(error) => wrong.push(error.to_string()),
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Whether the late look came to nothing, and the journal says so: in an account whose searches prove nothing, or where nobody
/// can search.
fn cannot_look(case: &Case, journal: &[Value]) -> bool {
    let late = |line: &&Value| {
        matches!(line["event"].as_str(), Some("late look put off" | "not audited" | "audited" | "late twin"))
    };
    let last = journal.iter().rfind(late).and_then(|line| line["event"].as_str());
    (case.features.unfiltered || case.features.blocked) && matches!(last, Some("late look put off" | "not audited"))
}

/// Every acknowledged submission is there and at an end, or a person is asked.
fn each_is_settled(case: &Case, held: &Ledgers, counts: &mut Counts, wrong: &mut Vec<String>) -> Told {
    let world = &case.world;
    // No store knows these any more, so that nobody can be told of what Tracker itself makes late of them.
    let forgotten = case.sent.iter().filter(|sent| case.forgotten.contains(&sent.id));
    let unseen = forgotten.map(|sent| sent.email.clone()).collect();
    let mut told = Told { flagged: BTreeSet::new(), unseen };
    let mut records: BTreeMap<i64, &str> = BTreeMap::new();
    for sent in case.sent.iter().filter(|sent| !case.forgotten.contains(&sent.id)) {
        let id = &sent.id;
        let mut lost = |counts: &mut Counts, why: String| {
            counts.lost += 1;
            wrong.push(why);
        };
        let item = match world.store.detail(id) {
            Ok((_, item, _)) => item,
            Err(error) => {
                lost(counts, format!("{id} is lost: {error}"));
                continue;
            }
        };
        counts.submissions += 1;
        counts.plain += u64::from(!case.must_ask());
        let before = counts.asked;
        match item.state {
            State::Done => counts.delivered += 1,
            State::Attention => {
                counts.asked += 1;
                // Told of a second record: by the late look, or right after a restore, with the ids of both.
                let is_told = match item.code.as_deref() {
                    Some("HT-1612") => true,
                    Some("HT-1602" | "HT-1616") => case.features.restore && item.message.contains(','),
                    _ => false,
                };
                if is_told {
                    told.flagged.insert(sent.email.clone());
                }
            }
            // It waits for an earlier submission of the same person, which waits for somebody's decision.
            State::Retry if item.code.as_deref() == Some("HT-1609") && waits_for_attention(world, &item.message) => {
                counts.asked += 1
            }
            // Tracker named a Contact that is nobody's, and refuses the Lead that names it: shown, with its one button.
            State::Failed
                if case.features.wrong_id && case.record_type == "Lead" && item.code.as_deref() == Some("HT-1503") =>
            {
                counts.failed += 1
            }
            State::Discarded if world.others.discarded.contains(id) => counts.ended_by_hand += 1,
            State::Erased if world.others.erased.contains(id) => {
                counts.ended_by_hand += 1;
                // Nobody can be told of a second record of whoever is not known any more.
                told.unseen.insert(sent.email.clone());
            }
            other => lost(counts, format!("{id} ended as {other:?} {:?} {}", item.code, item.message)),
        }
        let is_asked = counts.asked > before;
        if item.state == State::Done {
            let Some(record) = item.tracker_id else {
                lost(counts, format!("{id} is done without a record"));
                continue;
            };
            let own = case.record_type == "Lead" || case.features.create_always && !case.features.existing;
            let other = records.insert(record, id).filter(|_| own && !case.features.wrong_id && !case.features.swap);
            // The widget API does not make a second person, whatever is set.
            if let Some(other) = other
                && (case.record_type == "Lead" || world.settings["api"] == "rest" && !case.features.settings)
            {
                lost(counts, format!("{id} and {other} share the record {record}: one of them was not delivered"));
            }
        }
        if is_asked && !case.must_ask() {
            // A new token was pasted while an answer was open, and nobody was delivered before who tells the account.
            let is_account = item.code.as_deref() == Some("HT-1610");
            *(if is_account { &mut counts.plain_accounts } else { &mut counts.plain_asked }) += 1;
        }
        counts.shares.count(&case.features, is_asked);
        match in_order(world, id, counts) {
            Ok((steps, journal)) => {
                if cannot_look(case, &journal) {
                    told.unseen.insert(sent.email.clone());
                }
                if item.state == State::Attention {
                    match evidence::missing(case, held, sent, &item, &Evidence { journal: &journal, steps: &steps }) {
                        Ok(()) => counts.evident += 1,
                        Err(why) => wrong.push(format!("{id} asks a person, and {why}")),
                    }
                }
                wrong.extend(held.holds(case, sent, &item, &steps, counts));
            }
            Err(why) => wrong.push(why),
        }
    }
    told
}

fn waits_for_attention(world: &World, earlier: &str) -> bool {
    world.store.state_of(earlier).ok().flatten() == Some(State::Attention)
}

/// Steps finish in order, and no child is there before its record. Counts what was lost on the way and sent again. Gives the
/// steps and the journal.
fn in_order(world: &World, id: &str, counts: &mut Counts) -> Result<(Vec<Value>, Vec<Value>), String> {
    let seq = world.store.seq_of(id).map_err(|error| error.to_string())?;
    let conn = world.store.connection();
    let number = |sql: &str| -> Result<i64, String> {
        let statement = conn.prepare_cached(sql);
        statement
            .and_then(|mut statement| statement.query_row([seq], |row| row.get(0)))
            .map_err(|error| error.to_string())
    };
    let lost = "SELECT count(*) FROM journal WHERE seq = ?1 AND event IN ('answer lost','run ended abruptly')";
    counts.lost_answers += number(lost)? as u64;
    counts.resends += number("SELECT coalesce(sum(resends), 0) FROM step WHERE seq = ?1")? as u64;
    let steps = world.store.step_views(seq, id).map_err(|error| error.to_string())?;
    let journal = world.store.journal(seq, id).map_err(|error| error.to_string())?;
    // What was refused had its turn, and has another one when somebody retries it: by then others are done.
    let has_been_refused =
        |step: &Value| journal.iter().any(|line| line["event"] == "refused" && line["step"] == step["kind"]);
    let settled = |step: &Value| {
        matches!(step["state"].as_str(), Some("done" | "rejected" | "skipped")) || has_been_refused(step)
    };
    let open = steps.iter().position(|step| !settled(step)).unwrap_or(steps.len());
    if steps[open..].iter().any(|step| step["state"] == "done") {
        return Err(format!("{id}: a step is done before an earlier one"));
    }
    Ok((steps, journal))
}

/// What the sums are worth: both kinds of damage are done on purpose to a seed that ended well.
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::seeds::played;

    #[test]
    fn what_is_lost_and_who_is_doubled_is_counted_and_not_only_said() {
        let case = (0..200).map(|seed| played(seed).expect("a seed that ends well")).find(|case| {
            let f = case.features;
            case.record_type != "Lead"
                && !(f.restore || f.swap || f.settings || f.create_always || f.existing || f.stale)
        });
        let case = case.expect("a plain seed among so many");
        let mut counts = Counts::default();
        check(&case, &mut counts).expect("nothing is wrong");
        assert_eq!((counts.lost, counts.twins), (0, 0));
        let twin = json!({ "resources": [{ "surname": "Twin", "email": case.sent[0].email }] });
        case.world.wire.tracker.borrow_mut().seed(&twin, case.world.clock.truth()).expect("seeded");
        let mut counts = Counts::default();
        let why = check(&case, &mut counts).expect_err("somebody is there twice");
        assert_eq!((counts.lost, counts.twins), (0, 1), "{why}");
        let gone = format!("PRAGMA foreign_keys = OFF; DELETE FROM submission WHERE id = '{}'", case.sent[0].id);
        case.world.store.connection().execute_batch(&gone).expect("deleted");
        let mut counts = Counts::default();
        let why = check(&case, &mut counts).expect_err("one is lost");
        assert_eq!((counts.lost, counts.twins, counts.submissions), (1, 1, case.sent.len() as u64 - 1), "{why}");
        assert!(why.contains("is lost") && why.contains("nobody was told"), "{why}");
    }

    fn plain(documents: u32) -> Case {
        let case = (0..400).map(|seed| played(seed).expect("a seed that ends well")).find(|case| {
            let f = case.features;
            let is_plain =
                case.record_type == "Resource" && !case.must_ask() && !f.existing && f.documents == documents;
            is_plain && case.sent.iter().all(|sent| case.world.item(&sent.id).state == State::Done)
        });
        let case = case.expect("a plain seed among so many");
        check(&case, &mut Counts::default()).expect("nothing is wrong");
        case
    }

    fn red(case: &Case, words: &str) {
        let why = check(case, &mut Counts::default()).expect_err(words);
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn what_is_called_delivered_and_is_not_there_turns_a_seed_red() {
        let mut case = plain(1);
        let change = |case: &Case, sql: &str| {
            let sql = format!("PRAGMA foreign_keys = OFF; {sql}");
            case.world.store.connection().execute_batch(&sql).expect("changed");
        };
        // A CV that is said to be sent, and one that nobody speaks of.
        let seq = case.world.store.seq_of(&case.sent[0].id).expect("there");
        let more =
            format!("INSERT INTO step (seq, ordinal, kind, state, file) VALUES ({seq}, 90, 'document', 'done', 9)");
        change(&case, &more);
        case.features.documents = 2;
        red(&case, "brought is with its record");
        change(&case, "DELETE FROM step WHERE ordinal = 90");
        red(&case, "steps of kind document");
        case.features.documents = 1;
        check(&case, &mut Counts::default()).expect("as before");
        // A stranger's record, and none at all.
        let marker = std::mem::replace(&mut case.sent[0].marker, "ht-other".into());
        red(&case, "a child that is nobody's");
        case.sent[0].marker = marker;
        let email = std::mem::replace(&mut case.sent[0].email, "other@example.org".into());
        red(&case, "a stranger's");
        case.sent[0].email = email;
        case.accounts[0] = std::rc::Rc::default();
        red(&case, "which is not there");
    }

    #[test]
    fn to_ask_about_everybody_is_too_much() {
        assert!(!Counts { plain: 100, plain_asked: 8, plain_accounts: 20, ..Counts::default() }.asks_too_much());
        assert!(Counts { plain: 100, plain_asked: 9, ..Counts::default() }.asks_too_much());
        assert!(Counts { plain: 100, plain_accounts: 100, ..Counts::default() }.asks_too_much());
    }
}
