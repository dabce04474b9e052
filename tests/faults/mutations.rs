//! Each mechanism that keeps the promise, switched off on purpose: the campaign must go red, or it would show nothing.
//! What is switched off is the system below the engine (a sync that does nothing, a lock that everybody has) or a
//! setting of the open connection; the product itself has no such switch.

use std::path::Path;

use halt_tracker::engine::handles;

use crate::points::{durable, templates};
use crate::site::{Site, Template};
use crate::story::{Length, begin, play_on, together};
use crate::system::{Fault, Lies, Plan};

/// Looks for the first trial that notices; `None` when all of them were blind.
fn first_red(
    length: Length,
    template: &Template,
    fault: fn(u64) -> Fault,
    lies: Lies,
    prepare: fn(&mut Site),
) -> Option<String> {
    for seed in 0..3 {
        for at in 1.. {
            let mut site = begin(length, template);
            prepare(&mut site);
            let fault = fault(at * 31 + seed);
            let trial = play_on(site, length, Some(Plan { at, fault, of: durable }), lies);
            match (&trial.seen.fired, &trial.result) {
                (Some(point), Err(why)) => {
                    // What the store says about everybody follows in further lines.
                    let why = why.lines().next().unwrap_or_default();
                    return Some(format!("{why}, after {fault:?} at {point}"));
                }
                (None, _) => break,
                (Some(_), Ok(_)) => {}
            }
        }
    }
    None
}

fn must_be_red(mechanism: &str, found: Option<String>) {
    let Some(why) = found else { panic!("mutation {mechanism}: nobody noticed") };
    // Paths of a temporary folder say nothing.
    let why: Vec<&str> = why.split_whitespace().map(|word| word.rsplit("/root/").next().unwrap_or(word)).collect();
    println!("mutation {mechanism}: red ({})", why.join(" "));
}

fn ends(path: &Path, end: &str) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(end))
}

/// On the connection of the store that the story will use.
fn on_connection(site: &mut Site, sql: &str) {
    handles::with_store(&site.call(), |store| {
        store.connection().execute_batch(sql).expect(sql);
        Ok(())
    })
    .expect("opens");
}

const CUT: fn(u64) -> Fault = Fault::Cut;

#[test]
fn a_power_cut_goes_red_without_each_sync_that_a_commit_needs() {
    let _together = together();
    let rest = &templates()[1].1;
    let none = Lies::default();
    must_be_red(
        "synchronous=FULL",
        first_red(Length::Short, rest, CUT, none, |site| on_connection(site, "PRAGMA synchronous = OFF")),
    );
    let lies = |lie: fn(&Path) -> bool| Lies { no_sync_of: Some(lie), ..Lies::default() };
    let wal = lies(|path| ends(path, "-wal"));
    must_be_red("the WAL is synced", first_red(Length::Short, rest, CUT, wal, |_| {}));
    let sealed = lies(|path| ends(path, ".sealed"));
    must_be_red("a sealed file is synced", first_red(Length::Short, rest, CUT, sealed, |_| {}));
    let folder = lies(|path| ends(path, "/files"));
    must_be_red("the folder of sealed files is synced", first_red(Length::Short, rest, CUT, folder, |_| {}));
    let keys = lies(|path| ends(path, ".new"));
    must_be_red("a new key is synced", first_red(Length::Birth, rest, CUT, keys, |_| {}));
    let above = lies(|path| ends(path, "/root"));
    must_be_red("the folder above a new store is synced", first_red(Length::Birth, rest, CUT, above, |_| {}));
    let store = lies(|path| ends(path, "/store"));
    must_be_red("the folder of a new store is synced", first_red(Length::Birth, rest, CUT, store, |_| {}));
}

#[test]
fn an_error_of_the_disk_goes_red_when_nobody_hears_it() {
    let _together = together();
    let rest = &templates()[1].1;
    let unheard: fn(u64) -> Fault = |_| Fault::Unheard;
    must_be_red("a write that fails is heard", first_red(Length::Short, rest, unheard, Lies::default(), |_| {}));
}

#[test]
fn a_crash_goes_red_without_what_makes_a_form_that_was_kept_come_in_once() {
    let _together = together();
    let rest = &templates()[1].1;
    let abort: fn(u64) -> Fault = |_| Fault::Abort;
    must_be_red(
        "a kept form is adopted by its id",
        first_red(Length::Kept, rest, abort, Lies::default(), |site| site.new_ids = true),
    );
    must_be_red(
        "a kept form leaves the site's table after the store's commit",
        first_red(Length::Kept, rest, abort, Lies::default(), |site| site.row_first = true),
    );
}

#[test]
fn a_crash_goes_red_without_each_thing_that_makes_a_repetition_harmless() {
    let _together = together();
    let rest = &templates()[1].1;
    let abort: fn(u64) -> Fault = |_| Fault::Abort;
    must_be_red(
        "an id made before anything is stored",
        first_red(Length::Short, rest, abort, Lies::default(), |site| site.new_ids = true),
    );
    must_be_red(
        "replay and content keys in the transaction that accepts",
        first_red(Length::Short, rest, abort, Lies::default(), |site| {
            on_connection(site, "CREATE TEMP TRIGGER apart BEFORE INSERT ON main.once BEGIN SELECT RAISE(IGNORE); END");
        }),
    );
    must_be_red(
        "an intent in the store before each send",
        first_red(Length::Short, rest, abort, Lies::default(), |site| {
            on_connection(
                site,
                "CREATE TEMP TRIGGER apart AFTER UPDATE OF state ON main.step WHEN NEW.state = 'intent'
                 BEGIN UPDATE step SET state = 'todo' WHERE seq = NEW.seq AND ordinal = NEW.ordinal; END",
            );
        }),
    );
    must_be_red(
        "the files of a submission in the transaction that accepts",
        first_red(Length::Short, rest, abort, Lies::default(), |site| {
            on_connection(site, "CREATE TEMP TRIGGER apart BEFORE INSERT ON main.file BEGIN SELECT RAISE(IGNORE); END");
        }),
    );
}
