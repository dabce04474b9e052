//! Whose store it is: a site is copied with everything to another address, or a stranger is given somebody's folder. Neither
//! is shown, keeps or sends anything there.

use halt_tracker::engine::{handles, show};
use serde_json::json;

use crate::judge::{Counts, judge};
use crate::points::templates;
use crate::processes::copy;
use crate::site::{Site, Template};
use crate::story::{alone, calm};

const COPY: &str = "http://staging.example.org";

/// Makes the store say that it belongs to whoever is about to call: as if nobody asked whose it is.
fn belongs_to_the_caller(site: &Site) {
    let mut like = Site::new(&json!({ "api": "rest" }), &json!({}));
    like.identity = site.identity.clone();
    like.identity["epoch"] = json!("");
    like.save_secrets().expect("saved");
    let home = handles::with_store(&like.call(), |store| Ok(store.meta("home")?)).expect("opens");
    handles::close_all();
    let tool = rusqlite::Connection::open(site.dir().join("queue.sqlite")).expect("opens");
    let own = site.identity["install_id"].as_str().expect("text");
    for (name, value) in [("home", home.as_str()), ("install_id", own)] {
        tool.execute("UPDATE meta SET value = ?2 WHERE name = ?1", [name, value]).expect("set");
    }
}

/// The whole site is copied while two applications wait, and the copy's cron runs; then the site's own.
fn copied(template: &Template, unasked: bool) -> Result<Counts, String> {
    let mut site = Site::of(template);
    for name in ["ada", "bea"] {
        let one = site.form(name, name == "ada");
        site.submit(one)?;
    }
    handles::close_all();
    let (own, aside) = (site.identity.clone(), site.beside("original"));
    copy(&site.dir(), &aside);
    site.identity["home"] = json!(COPY);
    if unasked {
        belongs_to_the_caller(&site);
    }
    let sent = site.sent.get();
    let said = site.run().map_or_else(|error| error, |report| report["outcome"].to_string());
    let sent = site.sent.get() - sent;
    handles::close_all();
    std::fs::remove_dir_all(site.dir()).map_err(|error| error.to_string())?;
    copy(&aside, &site.dir());
    site.identity = own;
    calm(&mut site)?;
    let counts = judge(&site)?;
    if sent > 0 || !said.contains("HT-1105") {
        return Err(format!("the copy says {said} and sends {sent} requests"));
    }
    Ok(counts)
}

/// Another site is given this one's folder.
fn given_to_a_stranger(template: &Template, unasked: bool) -> Result<Counts, String> {
    let mut site = Site::of(template);
    let ada = site.form("ada", true);
    site.submit(ada)?;
    handles::close_all();
    let (own, aside) = (site.identity.clone(), site.beside("original"));
    copy(&site.dir(), &aside);
    for (name, value) in
        [("install_id", "fedcba9876543210fedcba9876543210"), ("home", "http://other.example"), ("epoch", "")]
    {
        site.identity[name] = json!(value);
    }
    if unasked {
        belongs_to_the_caller(&site);
    }
    let shown = show::list(&site.call(), b"{}").map(|page| page["total"].as_u64().unwrap_or(0));
    // Somebody fills in a form of that other site.
    let cleo = site.form("cleo", false);
    let taken = site.submit(cleo).err().unwrap_or_default();
    let visitor = site.people.pop().expect("cleo");
    let hook = site.hook("dora");
    let answered = site.submit(hook).err().unwrap_or_default();
    site.people.pop();
    handles::close_all();
    if let Ok(shown) = shown {
        return Err(format!("a stranger is shown {shown} submissions"));
    }
    assert!(taken.contains("HT-1105") && visitor.kept.is_some(), "kept outside: {taken}");
    assert!(answered.contains("503"), "{answered}");
    site.identity = own;
    calm(&mut site)?;
    judge(&site)
}

#[test]
fn neither_a_copy_nor_a_stranger_uses_a_store_and_both_go_red_when_nobody_asks_whose_it_is() {
    let _alone = alone();
    let mut counts = Counts::default();
    for (api, template) in &templates() {
        for one in [copied(template, false), given_to_a_stranger(template, false)] {
            counts.add(&one.unwrap_or_else(|why| panic!("{api}: {why}")));
        }
    }
    println!(
        "campaign j, whose: real files: a copy at another address and a stranger with this folder, {} times; {}",
        counts.trials,
        counts.words()
    );
    let rest = &templates()[1].1;
    let why = copied(rest, true).expect_err("nobody noticed");
    println!("mutation a store is of one address: red ({why})");
    let why = given_to_a_stranger(rest, true).expect_err("nobody noticed");
    println!("mutation a store is of one installation: red ({why})");
}
