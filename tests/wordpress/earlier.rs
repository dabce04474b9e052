//! A site that had the earlier plugin: its settings and secrets come along, its callbacks no longer run, and what lay in its
//! table comes over once, as history or held until somebody releases it.

use crate::hook;
use crate::site::{API_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, Site, body, on_a_site, quoted, rows};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

const WEAK: &str = "letmein-2024";

/// Writes an option as the earlier plugin left it.
fn option(site: &Site, name: &str, value: &str) {
    let code = format!("update_option('halt_tracker_{name}', {});", quoted(value));
    site.php(&code);
}

fn earlier_options(site: &Site) {
    for (name, value) in [
        ("environment", "row"),
        ("client_secret", CLIENT_SECRET),
        ("refresh_token", REFRESH_TOKEN),
        ("shared_secret", WEAK),
        (
            "field_map",
            "{\"firstName\":\"first_name\",\"surname\":\"last_name\",\"email\":\"email\",\"mobile\":\"phone\",\"source\":\":Website\"}",
        ),
        ("required_fields", "firstName,lastName,email"),
        ("record_type", "Resource"),
        ("max_results", "50"),
        ("last_job_sync", "2024-01-01"),
    ] {
        option(site, name, value);
    }
}

#[test]
fn an_upgraded_site_works_at_once_and_its_secrets_leave_the_options() {
    on_a_site(|site| {
        earlier_options(site);
        site.php("set_transient('halt_tracker_access_token', 'earlier-access-token', 3600); set_transient('halt_tracker_jwt', 'earlier-jwt', 3600);");
        site.cron();
        let left = site
            .stack
            .sql("SELECT option_name, option_value FROM wp_options WHERE option_name LIKE '%halt\\_tracker%'")
            .expect("options");
        for secret in [CLIENT_SECRET, REFRESH_TOKEN, WEAK, "earlier-access-token", "earlier-jwt", API_TOKEN] {
            assert!(!left.contains(secret), "{secret} still stands in an option:\n{left}");
        }
        assert!(left.contains("halt_tracker_field_map") && left.contains("halt_tracker_last_job_sync"), "{left}");
        let told =
            site.stack.divi_events().into_iter().filter(|event| event.to_string().contains("credentials were changed"));
        assert_eq!(told.count(), 1, "whoever can write an option can change credentials: it is mailed, once");
        let page = body(&site.page("halt-tracker-settings&tab=webhook"));
        assert!(page.to_lowercase().contains("weak"), "{page}");

        let text = json!({ "form_id": "careers", "fields": { "first_name": "Jane", "last_name": "Doe", "email": "up@example.org", "phone": "+33 1" } });
        let reply = hook::request(WEAK, text.to_string()).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        site.until("it is delivered", || {
            site.cron();
            site.records("resources", "up@example.org").len() == 1
        });
        let record = site.records("resources", "up@example.org").remove(0).to_string();
        assert!(record.contains("Jane") && record.contains("Doe") && record.contains("+33 1"), "{record}");
        // The required list is told by its synonyms: without a surname it waits.
        let text = json!({ "form_id": "careers", "fields": { "first_name": "Jane", "email": "short@example.org" } });
        assert_eq!(hook::request(WEAK, text.to_string()).send(site).status, 202);
        site.until("it waits", || {
            site.cron();
            site.submissions().iter().any(|one| one["code"] == "HT-1404")
        });
    });
}

/// Puts the stand-in where a theme would have it, and takes it away again at the end.
struct StandIn<'a>(&'a Site);

impl<'a> StandIn<'a> {
    fn load(site: &'a Site) -> Self {
        let content = site.stack.wordpress.join("wp-content");
        let theme = content.join("themes/bundle/inc/rolecall-halt");
        std::fs::create_dir_all(&theme).expect("a folder");
        std::fs::write(theme.join("class-halt.php"), include_str!("earlier.php")).expect("written");
        let loader = "<?php add_action('after_setup_theme', function () { require WP_CONTENT_DIR . '/themes/bundle/inc/rolecall-halt/class-halt.php'; Halt_Tracker_Plugin::init(); });";
        std::fs::write(content.join("mu-plugins/earlier-theme.php"), loader).expect("written");
        site.php("@unlink(WP_CONTENT_DIR . '/earlier-calls.txt');");
        Self(site)
    }

    /// The hooks on which it was called.
    fn calls(&self) -> String {
        std::fs::read_to_string(self.0.stack.wordpress.join("wp-content/earlier-calls.txt")).unwrap_or_default()
    }
}

impl Drop for StandIn<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0.stack.wordpress.join("wp-content/mu-plugins/earlier-theme.php"));
    }
}

#[test]
fn its_callbacks_no_longer_run_and_one_notice_says_where_it_comes_from() {
    on_a_site(|site| {
        site.credentials();
        let standing = StandIn::load(site);
        site.apply(4, &[("email", "both4@example.org")]);
        site.apply(5, &[("email", "both5@example.org")]);
        site.cron();
        let reply = hook::request(
            crate::site::SHARED_SECRET,
            "{\"form_id\":\"f\",\"fields\":{\"email\":\"w@example.org\",\"name\":\"W\"}}",
        )
        .send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        let index = site.stack.get("/wp-json/halt-tracker/v1").text();
        assert!(index.contains("/ingest") && !index.contains("tracker-webhook"), "{index}");
        let page = site.page("halt-tracker");
        assert!(page.has("Halt Tracker Dashboard") && !page.has("Earlier page"), "{}", body(&page));
        assert_eq!(site.php("echo wp_get_schedules()['halt_tracker_five_minutes']['interval'];"), "300");
        let notices = site.stack.get_as(&site.admin, "/wp-admin/index.php");
        assert!(notices.has("/themes/bundle/inc/rolecall-halt/class-halt.php"), "{}", body(&notices));
        assert!(notices.has("job sync has stopped working"));
        assert_eq!(notices.text().matches("The earlier Halt Tracker plugin is still loaded").count(), 1);
        let calls = standing.calls();
        for hook in
            ["et_pb_contact_form_submit", "halt_tracker_process_queue", "rest_api_init", "admin_menu", "admin_init"]
        {
            assert!(!calls.lines().any(|line| line == hook), "{hook} still ran:\n{calls}");
        }
        assert!(
            calls.contains("admin_enqueue_scripts") && calls.contains("init"),
            "its own hooks are left alone: {calls}"
        );
        site.until("each form is in Tracker once", || {
            site.cron();
            ["both4@example.org", "both5@example.org"].iter().all(|email| site.records("resources", email).len() == 1)
        });
        assert_eq!(site.php("do_action('halt_tracker_sync_jobs'); echo 'ran';"), "ran");
        assert!(standing.calls().contains("halt_tracker_sync_jobs"));
    });
}

/// The earlier plugin's table, empty.
fn table(site: &Site) {
    let sql = "DROP TABLE IF EXISTS wp_halt_tracker_queue; CREATE TABLE wp_halt_tracker_queue (
        id bigint(20) unsigned NOT NULL AUTO_INCREMENT, created_at datetime NOT NULL, updated_at datetime NOT NULL,
        source varchar(50) NOT NULL, form_id varchar(190) NOT NULL DEFAULT '', payload longtext NOT NULL,
        status varchar(20) NOT NULL DEFAULT 'queued', attempts smallint(5) unsigned NOT NULL DEFAULT 0, last_error text NULL,
        PRIMARY KEY (id), KEY status (status), KEY form_id (form_id), KEY attempts (attempts)) DEFAULT CHARSET=utf8mb4";
    site.stack.sql(sql).expect("the table");
}

fn add(site: &Site, at: &str, source: &str, form: &str, status: &str, payload: &str) {
    site.php(&format!(
        "global $wpdb; $wpdb->insert('wp_halt_tracker_queue', ['created_at' => '{at}', 'updated_at' => '{at}', 'source' => '{source}', 'form_id' => '{form}', 'status' => '{status}', 'payload' => {}]);",
        quoted(payload)
    ));
}

fn left(site: &Site) -> usize {
    site.stack.sql("SELECT COUNT(*) FROM wp_halt_tracker_queue").expect("a count").parse().expect("a number")
}

fn webhook(email: &str, file: Option<&[u8]>) -> String {
    let files: Vec<Value> = file
        .iter()
        .map(|bytes| json!({ "field": "resume", "name": "cv.pdf", "mime": "application/pdf", "content": BASE64.encode(bytes), "encoding": "base64" }))
        .collect();
    let all = json!({ "form_id": "careers", "fields": { "first_name": "Jane", "last_name": "Doe", "email": email }, "meta": { "utm_source": "x" }, "files": files, "source_ip": "192.0.2.77" });
    all.to_string().replace('/', "\\/")
}

fn fill(site: &Site, cv: &[u8]) {
    table(site);
    let divi4 = json!({ "form_id": "11111111-2222-4333-8444-555555555555", "fields": { "name": { "value": "O\\'Neil", "label": "Name" }, "email": { "value": "held4@example.org", "label": "E" } },
        "meta": { "referer": "https://example.org/jobs/", "user_ip": "192.0.2.77", "user_agent": "Canary-Agent" } });
    let divi5 = json!({ "form_id": "divi", "fields": { "name": { "id": "Name", "value": "C:\\new", "label": "Name", "type": "input", "options": "" }, "email": { "id": "Email", "value": "held5@example.org", "label": "E", "type": "email" } }, "meta": [] });
    add(site, "2024-07-01 12:00:00", "divi", "11111111-2222-4333-8444-555555555555", "retry", &divi4.to_string());
    add(site, "2024-07-02 12:00:00", "divi", "divi", "failed", &divi5.to_string());
    add(site, "2024-07-03 12:00:00", "webhook", "careers", "queued", &webhook("heldw@example.org", Some(cv)));
    add(site, "2024-07-04 12:00:00", "webhook", "careers", "success", &webhook("sent@example.org", None));
    add(
        site,
        "2024-07-05 12:00:00",
        "webhook",
        "careers",
        "queued",
        "{\"form_id\":\"careers\",\"fields\":{\"email\":\"broken@exa",
    );
}

fn by_email(site: &Site, email: &str) -> Value {
    let mut all: Vec<Value> = site.submissions().into_iter().filter(|one| one["fields"]["email"] == email).collect();
    assert_eq!(all.len(), 1, "{email}: {all:#?}");
    all.remove(0)
}

#[test]
fn its_table_comes_over_once_as_history_or_held_and_one_click_releases_it() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000")]);
        let cv = [b"%PDF-1.4\n".as_slice(), &[0xff, 0xfe, 0x00, 0x3f].repeat(60_000), b"\n%%EOF\n"].concat();
        fill(site, &cv);
        site.php("update_option('halt_tracker_reports', [['timestamp' => 1, 'jobs' => [['id' => 1, 'message' => 'held4@example.org']]]]); update_option('halt_tracker_jobs_created', 3); set_transient('halt_tracker_sync_lock', 1, 60);");
        site.cron();
        site.cron();

        assert_eq!(left(site), 1, "only the broken row stays");
        assert_eq!(site.submissions().len(), 4);
        for email in ["held4@example.org", "held5@example.org", "heldw@example.org"] {
            assert_eq!(by_email(site, email)["state"], "held", "{email}");
        }
        assert_eq!(by_email(site, "sent@example.org")["state"], "done");
        assert_eq!(rows(&site.sim.ledger(), "resources").len(), 0, "something was sent without a click");
        let one = by_email(site, "held4@example.org");
        assert_eq!((&one["fields"]["name"], &one["source"]), (&json!("O'Neil"), &json!("legacy")));
        assert_eq!(one["meta"], json!({ "page_url": "https://example.org/jobs/" }));
        // Noon in Paris is ten in summer, in UTC.
        assert_eq!(one["received_at"], 1_719_828_000_000_i64, "{one}");
        assert_eq!(by_email(site, "held5@example.org")["fields"]["name"], "C:\\new");
        let kept = site.php("echo json_encode([get_option('halt_tracker_reports'), get_option('halt_tracker_jobs_created'), get_transient('halt_tracker_sync_lock')]);");
        assert_eq!(kept, "[false,false,false]");
        for one in site.submissions() {
            let text = one.to_string();
            assert!(!text.contains("192.0.2.77") && !text.contains("Canary-Agent"), "{text}");
        }

        let page = site.page("halt-tracker");
        assert!(page.has("3 submissions that the earlier plugin had not delivered"), "{}", body(&page));
        assert!(page.has("HT-1804"), "the broken row is shown: {}", body(&page));
        let page = site.press("halt-tracker", "release_earlier", &[]);
        assert!(page.has("3 submissions are released"), "{}", body(&page));
        site.until("they are delivered", || {
            site.cron();
            ["held4@example.org", "held5@example.org", "heldw@example.org"]
                .iter()
                .all(|email| site.records("resources", email).len() == 1)
                && rows(&site.sim.ledger(), "documents").len() == 1
        });
        let document = rows(&site.sim.ledger(), "documents").remove(0);
        assert!(BASE64.decode(document["data"].as_str().expect("data")).expect("base64") == cv);
        assert_eq!(site.records("resources", "sent@example.org").len(), 0, "history was sent again");
        assert!(!site.page("halt-tracker").has("From the earlier plugin"));
        // History is never sent, also not by hand.
        let id = by_email(site, "sent@example.org")["id"].as_str().expect("an id").to_owned();
        let said = site.php(&format!("echo json_encode(Engine::act(['action' => 'retry', 'ids' => ['{id}']]));"));
        assert!(said.contains("HT-1902"), "{said}");
        site.stack.sql("DROP TABLE wp_halt_tracker_queue").expect("dropped");
    });
}

#[test]
fn a_takeover_that_dies_before_it_deletes_a_row_makes_no_second_one() {
    on_a_site(|site| {
        site.credentials();
        table(site);
        for at in 1..=3 {
            add(
                site,
                "2024-01-01 10:00:00",
                "webhook",
                "careers",
                "retry",
                &webhook(&format!("cut{at}@example.org"), None),
            );
        }
        site.stack.sql("CREATE TABLE wp_before AS SELECT * FROM wp_halt_tracker_queue").expect("a copy");
        site.cron();
        assert_eq!((left(site), site.submissions().len()), (0, 3));
        // What a crash between the store's commit and the deletion leaves: the rows, once more.
        site.stack.sql("INSERT INTO wp_halt_tracker_queue SELECT * FROM wp_before").expect("again");
        site.cron();
        assert_eq!((left(site), site.submissions().len()), (0, 3));
        // An emptied table counts from 1 again; another submission under a used number is another submission.
        site.stack.sql("ALTER TABLE wp_halt_tracker_queue AUTO_INCREMENT = 1").expect("anew");
        add(site, "2024-02-01 10:00:00", "webhook", "careers", "queued", &webhook("new@example.org", None));
        site.cron();
        assert_eq!((left(site), site.submissions().len()), (0, 4));
        site.stack.sql("DROP TABLE wp_before; DROP TABLE wp_halt_tracker_queue").expect("dropped");
    });
}

#[test]
fn a_long_table_comes_over_in_pages_and_broken_rows_hold_up_nothing() {
    on_a_site(|site| {
        site.credentials();
        table(site);
        let payload = webhook("EMAIL", None);
        site.stack
            .sql(&format!(
                "INSERT INTO wp_halt_tracker_queue (created_at, updated_at, source, form_id, payload, status)
                 SELECT '2024-03-01 10:00:00', '0000-00-00', 'webhook', 'careers', IF(seq % 50 = 0, '[]', REPLACE('{}', 'EMAIL', CONCAT('p', seq, '@example.org'))), 'queued' FROM seq_1_to_230",
                payload.replace('\\', "\\\\")
            ))
            .expect("rows");
        site.until("all pages are through", || {
            site.cron();
            left(site) == 4
        });
        assert_eq!(site.status()["counts"]["held"], 226);
        site.stack.sql("DROP TABLE wp_halt_tracker_queue").expect("dropped");
    });
}

#[test]
fn without_the_engine_its_table_is_left_as_it_is() {
    on_a_site(|site| {
        table(site);
        add(site, "2024-01-01 10:00:00", "webhook", "careers", "retry", &webhook("wait@example.org", None));
        site.stack.set_extension(false).expect("without the module");
        site.php("update_option('halt_tracker_reports', [1]);");
        site.cron();
        assert_eq!(
            (left(site), site.php("echo json_encode(get_option('halt_tracker_reports'));").as_str()),
            (1, "[1]")
        );
        site.stack.sql("DROP TABLE wp_halt_tracker_queue").expect("dropped");
    });
}

/// What the privacy tool of that name says of an address.
fn privacy(site: &Site, tool: &str, email: &str) -> Value {
    let said = site.php(&format!("echo json_encode(Halt\\Tracker\\WordPress\\Privacy::{tool}({}));", quoted(email)));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn who_asks_for_their_data_or_its_erasure_is_found_in_its_table_too() {
    on_a_site(|site| {
        site.credentials();
        table(site);
        let broken = |email: &str| format!("{{\"form_id\":\"careers\",\"fields\":{{\"email\":\"{email}");
        let day = "2024-01-01 10:00:00";
        add(site, day, "webhook", "careers", "queued", &webhook("ann@example.org", None));
        for email in ["ann@example.org", "joann@example.org", "nobody@example.org"] {
            add(site, day, "webhook", "careers", "queued", &broken(email));
        }
        let note = privacy(site, "export", "ann@example.org").to_string();
        assert!(note.contains("Not included") && note.contains("3 rows of the earlier plugin"), "{note}");
        // Without the engine nobody knows whose a row is, and it is not said that nothing is there.
        site.stack.set_extension(false).expect("without the module");
        let said = privacy(site, "erase", "ann@example.org");
        assert_eq!((left(site), &said["items_retained"]), (4, &json!(true)), "{said}");
        assert!(said.to_string().contains("3 rows of the earlier plugin"), "{said}");
        site.stack.set_extension(true).expect("the module");
        // What is no address is found in no row, and not in all of them.
        for nobody in ["", " ", "@"] {
            let said = privacy(site, "erase", nobody);
            assert_eq!((left(site), &said["items_removed"]), (4, &json!(false)), "{nobody}: {said}");
        }
        let said = privacy(site, "erase", "ann@example.org");
        assert_eq!((&said["items_removed"], &said["items_retained"]), (&json!(true), &json!(true)), "{said}");
        assert!(said.to_string().contains("1 row of the earlier plugin"), "joann's contains it: {said}");
        let states: Vec<Value> = site.submissions().iter().map(|one| one["state"].clone()).collect();
        assert_eq!(states, ["erased"], "what can be read came over and is erased there");
        let rest = site.stack.sql("SELECT payload FROM wp_halt_tracker_queue ORDER BY id").expect("rows");
        let rest: Vec<bool> = rest.lines().map(|row| row.contains("joann@") || row.contains("nobody@")).collect();
        assert_eq!(rest, [true, true], "hers is gone, those of others stay");
        let said = privacy(site, "erase", "joann@example.org");
        assert_eq!((&said["items_removed"], &said["items_retained"]), (&json!(true), &json!(false)), "{said}");
        let said = privacy(site, "erase", "ann@example.org");
        assert_eq!((left(site), &said["items_retained"]), (1, &json!(false)), "{said}");
        // Forms that are sealed outside the store are named in an export too.
        assert!(!privacy(site, "export", "ann@example.org").to_string().contains("sealed outside"));
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("email", "ann@example.org")]);
        site.stack.set_extension(true).expect("the module");
        let note = privacy(site, "export", "ann@example.org").to_string();
        assert!(note.contains("Not included") && note.contains("sealed outside the store"), "{note}");
        site.stack.sql("DROP TABLE wp_halt_tracker_queue").expect("dropped");
    });
}

#[test]
fn what_an_erasure_had_to_leave_in_its_table_is_erased_when_it_comes_over() {
    on_a_site(|site| {
        site.credentials();
        table(site);
        add(site, "2024-01-01 10:00:00", "webhook", "careers", "queued", &webhook("large@example.org", None));
        site.stack
            .sql("UPDATE wp_halt_tracker_queue SET payload = REPLACE(payload, 'Jane', REPEAT('x', 8000000))")
            .expect("a long one");
        // Too long for this process, not for the next one.
        let said = site.php("ini_set('memory_limit', (string) (memory_get_usage(true) + 9000000)); echo json_encode(Halt\\Tracker\\WordPress\\Privacy::erase('large@example.org'));");
        assert!(said.contains("\"items_retained\":true") && said.contains("1 row of the earlier plugin"), "{said}");
        assert_eq!(left(site), 1);
        site.cron();
        let states: Vec<Value> = site.submissions().iter().map(|one| one["state"].clone()).collect();
        assert_eq!((left(site), states), (0, vec![json!("erased")]));
        site.stack.sql("DROP TABLE wp_halt_tracker_queue").expect("dropped");
    });
}
