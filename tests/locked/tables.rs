//! What strangers type, where it leaves the pages: in mails it does not stand at all, and in a table for a spreadsheet each
//! text stays in its own cell and is never computed.

use crate::hook;
use crate::scripts::{PLACES, loose, payload};
use crate::site::{SHARED_SECRET, Site, on_a_site, quoted};
use crate::stack::Reply;
use serde_json::{Value, json};

/// The mails of the site, all of them searched: which of the places stand in one.
pub fn in_mails(site: &Site) -> (usize, Vec<String>) {
    let mails: Vec<Value> = site.stack.divi_events().into_iter().filter(|event| event["by"] == "site").collect();
    let mut found = Vec::new();
    for mail in &mails {
        let text = ["to", "subject", "message"]
            .map(|part| mail[part].as_str().map(str::to_owned).unwrap_or_else(|| mail[part].to_string()));
        found.extend(
            PLACES.iter().filter(|place| text.concat().contains(**place)).map(|place| format!("{place} in {mail}")),
        );
        // A subject or an address of two lines would be a header of the sender's own.
        found.extend(
            text[..2].iter().filter(|line| line.contains(['\r', '\n'])).map(|line| format!("two lines: {line}")),
        );
    }
    (mails.len(), found)
}

pub fn assert_no_mail_repeats(site: &Site) {
    let (count, found) = in_mails(site);
    assert!(count >= 1, "no mail was sent, so that none was searched");
    assert!(found.is_empty(), "{}", found.join("\n"));
    // The control: a mail that does repeat it is found.
    site.php(&format!("wp_mail('a@example.org', 'x', {});", quoted(&payload("xtracker"))));
    assert_eq!(in_mails(site).1.len(), 1);
    println!("campaign mails: real site: {count} mails, none repeats a stranger's or Tracker's words");
}

/// The table that the button on the Sync Log hands out.
pub fn exported(site: &Site) -> Reply {
    let page = "halt-tracker-sync-log";
    let shown = site.page(page).text();
    let forms = crate::forms::forms(&shown);
    let mut form = forms.into_iter().find(|form| form.value("_wpnonce").is_some()).expect("the list's form");
    form.set("halt_row", "export_all");
    site.stack.post_as(&site.admin, &format!("/wp-admin/admin.php?page={page}"), &form.fields)
}

/// CSV as RFC 4180 has it, and no more lenient: rows of cells.
pub fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' if quoted => {
                quoted = false;
                assert!(matches!(letters.peek(), None | Some(',' | '\n')), "text after a closing quote: {row:?}");
            }
            '"' if cell.is_empty() => quoted = true,
            '"' => panic!("a quote within a bare cell: {cell}"),
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the table is cut");
    rows
}

/// The table of a site that is full of payloads: each stands whole in one cell.
pub fn assert_table_holds(site: &Site, payloads: &[&str]) {
    let reply = exported(site);
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("text/csv")));
    assert!(reply.header("content-disposition").is_some_and(|how| how.starts_with("attachment")));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "a browser would look for HTML in it");
    let text = reply.text();
    // The control: the search that finds nothing on the pages does find them here, where they are text.
    assert!(!loose(&text.replace("\"\"", "\"")).is_empty());
    let rows = cells(&text);
    assert!(rows.len() >= 3 && rows.iter().all(|row| row.len() == rows[0].len()), "{rows:#?}");
    for place in payloads {
        let whole = payload(place);
        assert!(
            rows.iter().flatten().any(|cell| cell.contains(&whole)),
            "{place} does not stand in one cell: {rows:#?}"
        );
    }
    assert_harmless(&rows);
}

fn assert_harmless(rows: &[Vec<String>]) {
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
    }
}

const STARTS: [&str; 6] = ["=", "+", "-", "@", "\t", "\r"];

#[test]
fn what_would_be_a_formula_anywhere_in_the_exported_table_gets_an_apostrophe() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        site.php("Engine::act(['action' => 'pause']);");
        for (number, start) in STARTS.iter().enumerate() {
            let evil = format!("{start}cmd|'/C calc'!A{number}\",\"{start}1+1\n{start}2+2");
            let text = json!({ "form_id": evil, "fields": { "name": evil, "email": format!("{start}csv{number}@canary.example"), evil.clone(): evil },
                "meta": { evil.clone(): evil },
                "files": [{ "field": "cv", "name": format!("{start}cv{number}.txt"), "content": "QUJD", "encoding": "base64" }] });
            let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
            assert_eq!(reply.status, 202, "{}", reply.text());
        }
        let rows = cells(&exported(site).text());
        assert_eq!(rows.len(), 7, "{rows:#?}");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "a cell has become two");
        assert_harmless(&rows);
        // Form, name, address and value of each, and of the names of files those that are not cleaned of their beginning.
        let guarded = rows.iter().flatten().filter(|cell| cell.starts_with('\'')).count();
        assert!(guarded >= 6 * 4, "{guarded} cells: {rows:#?}");
        // Nothing is lost by that: behind the apostrophe stands what was typed.
        for (number, start) in STARTS.iter().enumerate() {
            let evil = format!("'{start}cmd|'/C calc'!A{number}\",\"{start}1+1\n{start}2+2");
            assert!(rows.iter().flatten().any(|cell| *cell == evil), "{evil:?}: {rows:#?}");
        }
        println!(
            "campaign tables: real site: {} cells, {guarded} of them guarded against being computed",
            rows.len() * rows[0].len()
        );
    });
}
