//! The journal and the reasons are written by the engine in words of its own; a recruiter reads a sentence for each of them.

use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use std::collections::BTreeSet;
use std::path::Path;

const WORDS: &str = include_str!("../../php-shim/includes/admin/class-words.php");

/// The sources that write the journal.
fn sources() -> String {
    let mut all = String::new();
    for folder in ["src/relay", "src/queue"] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder").flatten()
        {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            all.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
        }
    }
    all
}

/// The text in quotes right after each of these beginnings.
fn after(text: &str, beginnings: &[&str]) -> BTreeSet<String> {
    let found = beginnings.iter().flat_map(|begin| text.split(begin).skip(1));
    found.filter_map(|rest| rest.split('"').next()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The fifth argument of each note, where it is written out.
fn notes(text: &str) -> BTreeSet<String> {
    let calls = text.split(".note(").skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
    let fifth = calls.filter_map(|call| call.split(',').nth(4));
    fifth.filter_map(|part| part.trim().strip_prefix('"')?.strip_suffix('"')).map(str::to_owned).collect()
}

/// The keys of the list in one function of the plugin.
fn keys(function: &str) -> BTreeSet<String> {
    let body = WORDS.split(&format!("function {function}(")).nth(1).and_then(|rest| rest.split("][$").next());
    let lines = body.expect("the function").lines().filter(|line| line.contains("=>"));
    lines.filter_map(|line| line.trim().strip_prefix('\'')?.split('\'').next()).map(str::to_owned).collect()
}

#[test]
fn every_event_of_the_journal_and_every_reason_has_its_words() {
    let text = sources();
    let mut events = after(&text, &["event: \"", "settle_back(self, \"", "send_again(claimed, step, \""]);
    events.extend(notes(&text));
    let found = text.split("found(").skip(1).filter_map(|rest| rest.split(')').next()?.split('"').nth(1));
    events.extend(found.map(str::to_owned));
    events.extend(
        State::ALL
            .iter()
            .filter(|state| !matches!(state, State::Sending | State::Erased | State::Discarded))
            .map(|state| state.name().to_owned()),
    );
    for state in State::ALL {
        events
            .extend([true, false].iter().flat_map(|open| Action::fitting(*state, "", *open, true)).map(str::to_owned));
    }
    assert!(events.len() > 30 && events.contains("not sent") && events.contains("accepted"), "{events:?}");
    let words = keys("event");
    let without: Vec<&String> = events.difference(&words).collect();
    assert!(without.is_empty(), "no words for {without:?}");
    let mut reasons = after(&text, &["ask(\"", "reason: \""]);
    reasons.retain(|reason| !["at most 60,000", "milliseconds of minutes"].contains(&reason.as_str()));
    assert!(reasons.len() > 8, "{reasons:?}");
    let words = keys("reason");
    let without: Vec<&String> = reasons.difference(&words).collect();
    assert!(without.is_empty(), "no words for {without:?}");
}
