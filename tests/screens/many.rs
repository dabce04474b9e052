//! A store of ten thousand submissions, through WordPress: every page, filter and search shows the right rows, and the CSV
//! holds all of them. `tests/store` asserts on the plans of the statements; here the time of each page is printed, because
//! it says something about the machine too, and only the engine's own work is held to a bound, in time of the processor.

use crate::forms::{forms, unescape};
use crate::site::{Site, body, on_a_site, quoted};

const COUNT: usize = 10_000;

/// Fills the store as forms do, each in a transaction of its own.
const FILL: &str = "
    set_time_limit(0);
    $around = [Places::data_dir(), Halt\\Tracker\\WordPress\\Site::json(), Options::engine_json()];
    for ($at = 1; $at <= 10000; $at++) {
        $number = $at % 7;
        Halt\\Tracker\\Engine::accept(...$around, ...[Engine::encode(['id' => sprintf('%08d-0000-4000-8000-%012d', $at, $at),
            'received_at' => 1700000000000 + $at * 60000, 'timestamp' => '2023-11-14T22:13:20+00:00',
            'fields' => ['name' => \"Person$at Of Ten\", 'email' => \"p$at@example.org\", 'message' => str_repeat('I would like to apply. ', 20)],
            'labels' => ['name' => 'Name'], 'info' => ['contact_form_id' => \"form$number\", 'post_id' => 7], 'css_id' => \"form$number\",
            'title' => \"Form $number\", 'meta' => ['page_url' => 'https://example.org/apply'], 'token' => (string) $at, 'files' => []])]);
    }
    echo Engine::call('list', ['{}'])['total'];";

/// Milliseconds of the processor for what the pages ask of the engine, the slowest of them.
const SPENT: &str = "
    $spent = static fn (): float => getrusage()['ru_utime.tv_sec'] * 1e3 + getrusage()['ru_utime.tv_usec'] / 1e3;
    $most  = 0;
    foreach (['{}', '{\"page\":500}', '{\"search\":\"person4711\"}', '{\"search\":\"p4711@example.org\"}', '{\"state\":\"queued\",\"page\":400}',
        '{\"sort\":\"form\",\"page\":250}', '{\"from\":1700000000000,\"to\":1800000000000,\"page\":500}', null] as $query) {
        Engine::has_store();
        $before = $spent();
        $query === null ? Engine::call('status') : Engine::call('list', [$query]);
        $most = max($most, $spent() - $before);
    }
    echo (int) ceil($most);";

#[test]
fn with_ten_thousand_submissions_every_page_shows_the_right_rows_and_the_csv_holds_all() {
    on_a_site(|site| {
        // In memory: a disk is asked ten thousand times to sync, which is not what this is about.
        let memory = tempfile::Builder::new().prefix("halt-tracker-many-").tempdir_in("/dev/shm").expect("a folder");
        let place = |name: &str| quoted(&memory.path().join(name).display().to_string());
        let owned = std::process::Command::new("chown").arg("www-data:").arg(memory.path()).status();
        assert!(owned.is_ok_and(|status| status.success()));
        let constants = [("HALT_TRACKER_DATA_DIR", place("data")), ("HALT_TRACKER_KEY_FILE", place("key"))];
        let constants = constants.each_ref().map(|(name, value)| (*name, value.as_str()));
        site.stack.set_constants(&constants).expect("constants");
        site.php(&format!("mkdir({}, 0700);", place("data")));
        site.credentials();
        site.php("Engine::act(['action' => 'pause']);");
        assert_eq!(site.php(FILL), COUNT.to_string());

        // The first request after a change of wp-config.php compiles WordPress anew.
        site.page("halt-tracker-settings&tab=privacy");
        shows(site, "", &["10,000"]);
        shows(site, "-sync-log", &["10,000 items", "of <span class='total-pages'>500</span>", "00010000-0000"]);
        shows(site, "-sync-log&paged=500", &["00000001-0000", "00000020-0000"]);
        shows(site, "-sync-log&s=p4711%40example.org", &["1 item", "00004711-0000"]);
        shows(site, "-sync-log&s=person4711", &["1 item", "00004711-0000"]);
        shows(site, "-sync-log&s=form3", &["1,429 items"]);
        shows(site, "-sync-log&state=queued&paged=500", &["00000001-0000"]);
        shows(site, "-sync-log&orderby=form&order=asc&paged=250", &["10,000 items"]);
        shows(site, "-sync-log&from=2023-11-14&to=2023-11-14", &["46 items"]);
        shows(site, "-sync-log&s=nobody", &["No submission matches."]);
        shows(site, "-settings&tab=mapping", &["message"]);
        shows(site, "-settings&tab=forms", &["Form 6"]);

        let csv = csv(site);
        println!("{:>6.0} ms  CSV of {} bytes", csv.seconds * 1000.0, csv.body.len());
        let text = csv.text();
        assert_eq!(text.lines().count(), COUNT + 1, "{}", &text[..text.len().min(500)]);
        assert!(text.contains("p1@example.org") && text.contains("p10000@example.org"));

        let spent: u32 = site.php(SPENT).parse().expect("milliseconds");
        println!("{spent:>6} ms of the processor for the slowest question");
        assert!(spent < 150, "{spent} ms of the processor for one question");
    });
}

fn shows(site: &Site, page: &str, words: &[&str]) {
    let reply = site.page(&format!("halt-tracker{page}"));
    let text = unescape(&body(&reply));
    println!("{:>6.0} ms  halt-tracker{page}", reply.seconds * 1000.0);
    assert_eq!(reply.status, 200, "{page}");
    words.iter().for_each(|word| assert!(text.contains(word), "{page} does not say {word}: {text}"));
}

/// All that the list finds.
fn csv(site: &Site) -> crate::stack::Reply {
    let page = "halt-tracker-sync-log";
    let list = forms(&site.page(page).text()).into_iter().find(|form| form.value("action") == Some("-1"));
    let mut form = list.expect("the list");
    form.set("halt_row", "export_all");
    site.stack.post_as(&site.admin, &format!("/wp-admin/admin.php?page={page}"), &form.fields)
}
