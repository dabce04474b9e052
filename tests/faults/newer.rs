//! A newer engine has been at the store and is taken away again, as when an update is rolled back: nothing of it is
//! touched, forms are kept outside, and what the newer one had begun is still there when it comes back.

use std::path::Path;

use rusqlite::Connection;

use crate::judge::{Counts, judge};
use crate::points::templates;
use crate::site::{Site, Template};
use crate::story::{calm, together};

/// What a later version may do, while an older process has the store open: lost answers are kept in a table that today's
/// engine does not know. The older one would take the submission for one of which nothing was sent yet.
const UPGRADE: &str = "BEGIN;
    CREATE TABLE lost (seq INTEGER, step TEXT);
    INSERT INTO lost SELECT seq, state FROM submission WHERE state = 'checking';
    CREATE TABLE later AS SELECT * FROM step WHERE seq IN (SELECT seq FROM lost);
    DELETE FROM step WHERE seq IN (SELECT seq FROM lost);
    UPDATE submission SET state = 'queued', plan_fixed = 0, due_at = 0, due_boot = 0, audit_at = NULL WHERE seq IN (SELECT seq FROM lost);";

/// The newer one is back, and with it what it knows; here, by way of making the store today's again.
const BACK: &str = "BEGIN;
    UPDATE submission SET state = 'checking', plan_fixed = 1 WHERE seq IN (SELECT seq FROM lost);
    DELETE FROM step WHERE seq IN (SELECT seq FROM lost);
    INSERT INTO step SELECT * FROM later;
    DROP TABLE later;
    DROP TABLE lost;
    PRAGMA user_version = 1;
    COMMIT;";

fn by_the_newer_one(dir: &Path, sql: &str) {
    let newer = Connection::open(dir.join("queue.sqlite")).expect("opens");
    newer.execute_batch(sql).expect(sql);
}

/// `unmarked`: the newer engine leaves `user_version` as it was, as if ours did not read it.
fn rolled_back(template: &Template, unmarked: bool) -> Result<Counts, String> {
    let mut site = Site::of(template);
    let ada = site.form("ada", true);
    site.submit(ada)?;
    site.lose_answers_of.replace(Some("ada@example.org".into()));
    site.run()?;
    by_the_newer_one(
        &site.dir(),
        &format!("{UPGRADE} PRAGMA user_version = {}; COMMIT;", if unmarked { 1 } else { 99 }),
    );
    let (sent, bea) = (site.sent.get(), site.form("bea", false));
    let heard = [site.submit(bea).err(), site.run().err()];
    let told = heard.iter().flatten().filter(|error| error.contains("HT-1107")).count();
    let (touched, sent) = (told < heard.len(), site.sent.get() - sent);
    by_the_newer_one(&site.dir(), BACK);
    calm(&mut site)?;
    let counts = judge(&site)?;
    if touched || sent > 0 {
        return Err(format!("an older engine is told so {told} times of {}, and sends {sent} requests", heard.len()));
    }
    Ok(counts)
}

#[test]
fn a_store_of_a_newer_engine_is_not_touched_and_goes_red_without_its_mark() {
    let _together = together();
    let mut counts = Counts::default();
    for (api, template) in &templates() {
        counts.add(&rolled_back(template, false).unwrap_or_else(|why| panic!("{api}: {why}")));
    }
    println!("campaign h, newer: real files: a newer engine's store met {} times; {}", counts.trials, counts.words());
    let why = rolled_back(&templates()[1].1, true).expect_err("nobody noticed");
    println!("mutation user_version is read in every write transaction: red ({why})");
}
