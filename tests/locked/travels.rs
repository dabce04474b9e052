//! Every path that a person's data or a secret takes through a site, each with words of its own, so that a word which is
//! found in the clear names the path on which it got there.

use crate::disk::{in_text, places};
use crate::hook;
use crate::hostile::Hostile;
use crate::site::{API_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, quoted, rows};
use crate::stack::divi;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

/// Parts of names, addresses, messages, file names and of CVs.
pub const PEOPLE: [&str; 36] = [
    "Quillfeather4",
    "quill4@canary.example",
    "zephyrine-message-4",
    "Quillfeather5",
    "quill5@canary.example",
    "zephyrine-message-5",
    "Marblewickhook",
    "marble-hook@canary.example",
    "Marblewick-cv",
    "obsidian-line-of-the-cv",
    "Saffronlakeupload",
    "saffron-upload@canary.example",
    "Saffronlake-cv",
    "granite-line-of-the-upload",
    "Juniperwidget",
    "juniper-widget@canary.example",
    "Juniper-cv",
    "Foxgloveleadwidget",
    "foxglove-widget@canary.example",
    "Foxgloveleadrest",
    "foxglove-rest@canary.example",
    "Thistledownlost",
    "thistle-captured@canary.example",
    "Thistledown-cv",
    "marlpit-line-of-the-kept-cv",
    "Wrenhollowwaits",
    "wren-waits@canary.example",
    "Wrenhollow-cv",
    "limestone-line-of-the-waiting-cv",
    "Fennelgaterefused",
    "fennel-body@canary.example",
    "Fennelgate-cv",
    "basalt-line-of-the-refused-body",
    "Bramblewoodfour",
    "bramble-refused@canary.example",
    "Hazelmerebackup",
];
pub const SEARCHED: &str = "Quillfeather4";
/// A secret that was typed beside a mistake, so that the whole tab was refused.
pub const TYPED: &str = "typed-Tq8ZrVw3Kx5LpN2sHd7CmYb4FgJ6eUaX-refused";

fn cv(line: &str) -> Vec<u8> {
    format!("%PDF-1.4\n{}%%EOF\n", format!("{line} Marblewickhook\n").repeat(4_000)).into_bytes()
}

pub fn send_cv(site: &Site, name: &str, email: &str, file: &str) {
    let body = json!({ "form_id": "careers", "fields": { "name": name, "email": email, "message": name },
        "meta": { "page_title": name },
        "files": [{ "field": "cv", "name": file, "content": BASE64.encode(cv("obsidian-line-of-the-cv")), "encoding": "base64" }] });
    let reply = hook::request(SHARED_SECRET, body.to_string()).send(site);
    assert_eq!(reply.status, 202, "{}", reply.text());
}

/// A visitor's form with a CV that an upload add-on laid down, and which it deletes as soon as the form was sent.
fn apply_with_cv(site: &Site, path: u8, name: &str, email: &str, file: &str, line: &str) {
    site.stack.divi_quirks(&["delete_uploads"]).expect("quirks");
    let folder = site.stack.wordpress.join("wp-content/uploads/cfefd-uploads/tmp");
    // Three parts of the capture table.
    let text = quoted(&format!("{line}\n"));
    site.php(&format!(
        "wp_mkdir_p('{0}'); file_put_contents('{0}/{file}', \"%PDF-1.4\\n\" . str_repeat({text}, intdiv(600000, strlen({text}))) . \"%%EOF\\n\");",
        folder.display()
    ));
    let pairs = divi::application_with_file(path, &[("name", name), ("email", email), ("cv", file)]);
    let reply = site.stack.divi_post(if path == 5 { "d5file" } else { "d4file" }, &pairs);
    assert!(divi::accepted(&reply), "{}\n{}", reply.text(), site.stack.logs());
    assert!(!folder.join(file).exists(), "the add-on left its file");
}

pub fn settled(site: &Site) {
    site.until("everything is settled", || {
        site.cron();
        let still = ["queued", "retry", "checking", "sending"];
        site.submissions().iter().all(|one| !still.contains(&one["state"].as_str().unwrap_or_default()))
    });
}

/// Tracker refuses records, and repeats in its words what it was sent.
pub fn refuses_records(method: &str, path: &str) -> bool {
    method == "POST" && path.to_lowercase().trim_end_matches('/').ends_with("/resource")
}

/// From now on Tracker is this one.
pub fn behind(site: &Site, url: &str) {
    site.stack.set_constants(&[("HALT_TRACKER_API_URL", &quoted(url))]).expect("constants");
    site.stack.restart_fpm("QUIT").expect("php-fpm");
}

/// Takes all of them; gives back what senders were answered, with the name of what they had sent.
pub fn every_path(site: &Site) -> Vec<(String, String)> {
    for (tab, changes) in [
        (
            "connection",
            &[
                ("client_secret", CLIENT_SECRET),
                ("refresh_token", REFRESH_TOKEN),
                ("api_token", API_TOKEN),
                ("api", "rest"),
            ][..],
        ),
        ("webhook", &[("shared_secret", SHARED_SECRET)]),
        ("delivery", &[("pace", "60000")]),
        ("activities", &[("activity_enabled", "1")]),
    ] {
        assert!(site.save_tab(tab, changes).has("Saved."), "{tab}");
    }
    let refused = site.save_tab("webhook", &[("shared_secret", TYPED), ("body_limit_mib", "many")]);
    assert!(refused.has("Nothing was saved") && !refused.has(TYPED), "{}", crate::site::body(&refused));

    delivered(site);
    without_the_engine(site);
    let answers = refused_bodies(site);
    refused_by_tracker(site);
    put_back(site);
    answers
}

/// Through both APIs, as each kind of record, with CVs of both origins.
fn delivered(site: &Site) {
    site.apply(4, &[("name", "Quillfeather4"), ("email", "quill4@canary.example"), ("message", "zephyrine-message-4")]);
    site.apply(5, &[("name", "Quillfeather5"), ("email", "quill5@canary.example"), ("message", "zephyrine-message-5")]);
    send_cv(site, "Marblewickhook", "marble-hook@canary.example", "Marblewick-cv.pdf");
    let (email, line) = ("saffron-upload@canary.example", "granite-line-of-the-upload");
    apply_with_cv(site, 5, "Saffronlakeupload", email, "Saffronlake-cv.pdf", line);
    settled(site);
    assert_eq!(rows(&site.sim.ledger(), "resources").len(), 4, "{:#}", site.sim.ledger());
    assert_eq!(rows(&site.sim.ledger(), "documents").len(), 2);

    site.options(&[("record_type", "Lead")]);
    site.apply(4, &[("name", "Foxgloveleadrest"), ("email", "foxglove-rest@canary.example")]);
    settled(site);
    site.options(&[("api", "widget")]);
    site.apply(5, &[("name", "Foxgloveleadwidget"), ("email", "foxglove-widget@canary.example")]);
    settled(site);
    site.options(&[("record_type", "Resource")]);
    send_cv(site, "Juniperwidget", "juniper-widget@canary.example", "Juniper-cv.pdf");
    settled(site);
    site.options(&[("api", "rest")]);
    assert_eq!(rows(&site.sim.ledger(), "leads").len(), 2, "{:#}", site.sim.ledger());
    assert_eq!(site.records("resources", "juniper-widget@canary.example").len(), 1);
    assert_eq!(rows(&site.sim.ledger(), "documents").len(), 3);
}

/// Two forms with CVs are kept in the site's own table, in parts; one of them is taken over and delivered, the other stays
/// there, because one of its parts is damaged.
fn without_the_engine(site: &Site) {
    site.stack.set_extension(false).expect("without the module");
    let (email, line) = ("wren-waits@canary.example", "limestone-line-of-the-waiting-cv");
    apply_with_cv(site, 5, "Wrenhollowwaits", email, "Wrenhollow-cv.pdf", line);
    let table = "wp_halt_tracker_capture";
    site.stack.sql(&format!("UPDATE {table} SET sealed = REVERSE(sealed) WHERE part = 2")).expect("damaged");
    let (email, line) = ("thistle-captured@canary.example", "marlpit-line-of-the-kept-cv");
    apply_with_cv(site, 4, "Thistledownlost", email, "Thistledown-cv.pdf", line);
    let parts = site.stack.sql(&format!("SELECT COUNT(*) FROM {table} WHERE part > 0")).expect("counted");
    assert!(parts.parse::<usize>().is_ok_and(|parts| parts >= 6), "{parts} parts");
    let kept = site.stack.sql(&format!("SELECT id, hash, key_id, HEX(sealed) FROM {table}")).expect("rows");
    assert_eq!(in_text(&kept, &PEOPLE), Vec::<&str>::new(), "kept in the clear");
    site.stack.set_extension(true).expect("the module");
    settled(site);
    assert_eq!(site.records("resources", "thistle-captured@canary.example").len(), 1);
    assert_eq!(rows(&site.sim.ledger(), "documents").len(), 4);
    let left = site.stack.sql(&format!("SELECT COUNT(*) FROM {table} WHERE part = 0")).expect("counted");
    assert_eq!(left, "1", "the damaged one waits");
}

/// Rightly signed, and refused for what they say: the sender may read the names of members in the answer, no values.
fn refused_bodies(site: &Site) -> Vec<(String, String)> {
    let before = site.submissions().len();
    let fields = r#""fields":{"name":"Fennelgaterefused","email":"fennel-body@canary.example"}"#;
    let content = BASE64.encode(cv("basalt-line-of-the-refused-body"));
    let file = |more: &str| {
        format!(
            r#""files":[{{"field":"cv","name":"Fennelgate-cv.pdf","content":"{content}{more}","encoding":"base64"}}]"#
        )
    };
    [
        (
            "an unknown member",
            format!(r#"{{"form_id":"careers",{fields},{},"nickname":"Fennelgaterefused"}}"#, file("")),
        ),
        ("text after the end", format!(r#"{{"form_id":"careers",{fields},{}}} Fennelgaterefused"#, file(""))),
        ("a comma too many", format!(r#"{{"form_id":"careers",{},{fields},}}"#, file(""))),
        ("no base64", format!(r#"{{"form_id":"careers",{fields},{}}}"#, file("!Fennelgaterefused"))),
        ("a field twice", format!(r#"{{"form_id":"careers",{},{fields},{fields}}}"#, file(""))),
        ("fields that are text", format!(r#"{{"form_id":"careers",{},"fields":"Fennelgaterefused"}}"#, file(""))),
        ("a form that is a list", format!(r#"{{"form_id":["Fennelgaterefused"],{fields}}}"#)),
        ("a number that is none", format!(r#"{{"form_id":"careers",{fields},"meta":{{"n":Fennelgaterefused}}}}"#)),
    ]
    .into_iter()
    .map(|(what, body)| {
        let reply = hook::request(SHARED_SECRET, body).send(site);
        assert_eq!(reply.status, 400, "{what}: {}", reply.text());
        // The control: an answer can be searched, and this one says which member it is.
        assert!(what != "an unknown member" || in_text(&reply.text(), &["nickname"]) == ["nickname"]);
        assert_eq!(site.submissions().len(), before, "{what}");
        (what.to_owned(), reply.text())
    })
    .collect()
}

fn refused_by_tracker(site: &Site) {
    let words = "the value Bramblewoodfour <bramble-refused@canary.example> is not valid";
    let hostile = Hostile::start(&site.sim.url, words, refuses_records);
    behind(site, &hostile.url);
    site.apply(5, &[("name", "Bramblewoodfour"), ("email", "bramble-refused@canary.example")]);
    settled(site);
    let last = site.submissions().pop().expect("the last one");
    assert!(["failed", "attention"].contains(&last["state"].as_str().unwrap_or_default()), "{last:#}");
    assert!(last.to_string().contains("is not valid"), "Tracker's words are kept for the administrator: {last:#}");
}

/// A backup is made and put back; somebody who came in between lies in the database that the restore has set aside only.
fn put_back(site: &Site) {
    let folder = site.stack.root.join("tmp/canary-backup");
    let path = quoted(&folder.display().to_string());
    site.php(&format!("Engine::act(['action' => 'backup', 'path' => {path}]);"));
    assert!(std::fs::read_dir(folder.join("files")).expect("a backup").count() >= 4, "sealed CVs are in the backup");
    let came = json!({ "form_id": "careers", "fields": { "name": "Hazelmerebackup", "email": "hazel@example.org" } });
    assert_eq!(hook::request(SHARED_SECRET, came.to_string()).send(site).status, 202);
    let count = site.submissions().len();
    site.until("the store is put back", || {
        site.php(&format!(
            "try {{ Engine::act(['action' => 'restore', 'path' => {path}]); }} catch (\\Throwable $busy) {{}}"
        ));
        site.submissions().len() == count - 1
    });
    let data = places(site).0;
    let names = std::fs::read_dir(data).expect("listed").flatten().map(|entry| entry.file_name());
    assert!(names.into_iter().any(|name| name.to_string_lossy().contains("before-restore")), "nothing was set aside");
    site.php("Engine::act(['action' => 'confirm_restore']);");
    settled(site);
}
