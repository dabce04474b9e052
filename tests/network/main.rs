//! A network of sites in subdirectories with the plugin active everywhere: each site has its table, its schedule, its store
//! and its pages, a new one gets them, and one that goes takes along what its owner wanted gone, and nothing of another's.

#[path = "../stack/mod.rs"]
mod stack;

use stack::sim::Sim;
use stack::{Options, Session, Stack, divi};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

const PLUGIN: &str = "halt-tracker/halt-tracker.php";
const USE: &str = "use Halt\\Tracker\\WordPress\\{Capture, Engine, Lifecycle, Options, Places, Relay, Site};\n";

struct Network {
    stack: Stack,
    sim: Sim,
    admin: Session,
}

fn built(variable: &str, usual: &str) -> PathBuf {
    let path =
        std::env::var_os(variable).map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(usual), PathBuf::from);
    assert!(path.is_file(), "{} is not built ({variable} names another place)", path.display());
    path
}

fn start() -> Network {
    let sim = Sim::start(&built("HALT_TRACKER_SIM", "target/debug/examples/tracker-sim")).expect("the simulator");
    let options = Options {
        extension: Some(built("HALT_TRACKER_EXTENSION", "target/fast/libhalt_tracker.so")),
        sim_url: Some(sim.url.clone()),
        multisite: true,
        workers: 1,
        ..Options::default()
    };
    let stack = Stack::start(&options).expect("a network");
    let admin = stack.login().expect("the administrator");
    Network { stack, sim, admin }
}

/// The one network of these tests; each makes sites of its own in it.
fn network() -> MutexGuard<'static, Network> {
    static NETWORK: OnceLock<Mutex<Network>> = OnceLock::new();
    NETWORK.get_or_init(|| Mutex::new(start())).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Network {
    /// Runs PHP on one site; what it printed.
    fn on(&self, blog: u32, code: &str) -> String {
        let code = format!("{USE} switch_to_blog({blog}); wp_set_current_user(1); {code}");
        self.stack.php(&code).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A new site with the fixture's pages; its number.
    fn site(&self, name: &str) -> u32 {
        let code = format!(
            "$made = wpmu_create_blog(get_network()->domain, '/{name}/', '{name}', 1); if (is_wp_error($made)) {{ throw new Exception($made->get_error_message()); }}
             switch_to_blog($made); update_option('permalink_structure', '/%postname%/'); divi_fixture_make_pages(); flush_rewrite_rules(false); echo $made;"
        );
        let said = self.on(1, &code);
        said.parse().unwrap_or_else(|_| panic!("{said}"))
    }

    fn apply(&self, site: &str, email: &str) {
        let page = if site.is_empty() { "d5".to_owned() } else { format!("{site}/d5") };
        let reply = self.stack.divi_post(&page, &divi::application(5, &[("email", email)]));
        assert!(divi::accepted(&reply), "{} {}\n{}", reply.status, reply.text(), self.stack.logs());
    }

    fn emails(&self, blog: u32) -> String {
        self.on(blog, "foreach (Engine::call('list', ['{}'])['items'] as $one) { echo Engine::call('get', [$one['id']])['fields']['email'], ' '; }")
    }

    /// Table, schedule, version: what a site has from its first moment.
    fn equipment(&self, blog: u32) -> String {
        self.on(
            blog,
            "global $wpdb; echo $wpdb->get_var(\"SHOW TABLES LIKE '{$wpdb->prefix}halt\\\\_tracker\\\\_capture'\"), ' ', wp_get_schedule('halt_tracker_process_queue'), ' ', get_option('halt_tracker_version');",
        )
    }

    fn install_id(&self, blog: u32) -> String {
        self.on(blog, "echo get_option('halt_tracker_install_id');")
    }

    /// The folders of store and key.
    fn folders(&self, blog: u32) -> Vec<String> {
        let said = self.on(blog, "echo Places::known_data_dir(), ' ', dirname(Places::known_key_file());");
        said.split(' ').map(str::to_owned).collect()
    }

    /// WordPress' own functions for networks complain about themselves on this PHP; everything else is ours to explain.
    fn assert_quiet(&self) {
        let logs = self.stack.logs();
        let words = ["PHP ", "Stack trace", "panicked", "WordPress database error"];
        let said: Vec<&str> = logs
            .lines()
            .filter(|line| {
                words.iter().any(|word| line.contains(word)) && !line.contains("wp-includes/ms-functions.php")
            })
            .collect();
        assert!(said.is_empty(), "{said:#?}");
    }
}

fn equipped(blog: u32) -> String {
    let prefix = if blog == 1 { "wp_".to_owned() } else { format!("wp_{blog}_") };
    format!("{prefix}halt_tracker_capture halt_tracker_five_minutes {}", env!("CARGO_PKG_VERSION"))
}

#[test]
fn every_site_of_the_network_is_equipped_and_a_new_one_too() {
    let network = network();
    let third = network.site("third");
    for blog in [1, 2, third] {
        assert_eq!(network.equipment(blog), equipped(blog));
    }
    let ids: Vec<String> = [1, 2, third].iter().map(|blog| network.install_id(*blog)).collect();
    assert!(ids.iter().all(|id| id.len() == 32), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "two sites have one identity: {ids:?}");
    network.assert_quiet();
}

#[test]
fn each_site_keeps_shows_and_sends_its_own_in_one_worker() {
    let network = network();
    network.site("fourth");
    let fifth = network.site("fifth");
    let fourth = fifth - 1;
    for (site, email) in [("fourth", "a@fourth.example"), ("fifth", "a@fifth.example"), ("fourth", "b@fourth.example")]
    {
        network.apply(site, email);
    }
    assert_eq!(network.emails(fourth).split_whitespace().count(), 2);
    assert_eq!(network.emails(fifth), "a@fifth.example ");
    let (one, two) = (network.folders(fourth), network.folders(fifth));
    assert!(
        one[0].ends_with(&format!("/site-{fourth}")) && two[0].ends_with(&format!("/site-{fifth}")),
        "{one:?} {two:?}"
    );
    assert!(one.iter().all(|folder| !two.contains(folder)), "{one:?} {two:?}");

    // Pages: each shows its own, and settings are its own.
    network.on(fourth, "Options::save('required_fields', 'email,phone');");
    for (site, mine, other) in [("fourth", "2", "1"), ("fifth", "1", "2")] {
        let log =
            network.stack.get_as(&network.admin, &format!("/{site}/wp-admin/admin.php?page=halt-tracker-sync-log"));
        assert_eq!(log.status, 200, "{}", log.text());
        let items = |count: &str| log.has(&format!("{count} item</span>")) || log.has(&format!("{count} items</span>"));
        assert!(items(mine) && !items(other), "{site}: {}", log.text());
        for page in ["halt-tracker", "halt-tracker-settings&tab=mapping"] {
            assert_eq!(
                network.stack.get_as(&network.admin, &format!("/{site}/wp-admin/admin.php?page={page}")).status,
                200
            );
        }
    }
    let mapping = |site: &str| {
        network
            .stack
            .get_as(&network.admin, &format!("/{site}/wp-admin/admin.php?page=halt-tracker-settings&tab=mapping"))
    };
    assert!(mapping("fourth").has("email,phone") && !mapping("fifth").has("email,phone"));

    // Credentials of one site send nothing of the other.
    network.on(
        fifth,
        "foreach (['client_secret' => 'sim-client-secret-0123456789', 'refresh_token' => 'sim-refresh-token-0123456789'] as $name => $value) { Engine::call('saveSecret', [$name, $value]); } Options::save('pace', '60000');",
    );
    let end = Instant::now() + Duration::from_secs(90);
    while network
        .on(fifth, "do_action('halt_tracker_process_queue'); echo Engine::call('status')['counts']['done'] ?? 0;")
        != "1"
    {
        assert!(Instant::now() < end, "{}", network.stack.logs());
    }
    network.on(fourth, "do_action('halt_tracker_process_queue');");
    let held = network.sim.ledger()["resources"].to_string();
    assert!(held.contains("a@fifth.example") && !held.contains("fourth.example"), "{held}");
    network.assert_quiet();
}

#[test]
fn a_folder_for_the_whole_network_holds_a_store_for_each_site() {
    let network = network();
    let sixth = network.site("sixth");
    let folder = network.stack.root.join("run/network-data");
    network.stack.set_constants(&[("HALT_TRACKER_DATA_DIR", &format!("'{}'", folder.display()))]).expect("constants");
    network.apply("sixth", "a@sixth.example");
    network.apply("", "a@first.example");
    assert_eq!((network.emails(sixth).as_str(), network.emails(1).as_str()), ("a@sixth.example ", "a@first.example "));
    for blog in [1, sixth] {
        assert!(folder.join(format!("site-{blog}/queue.sqlite")).is_file(), "site {blog}");
    }
    network.stack.set_constants(&[]).expect("constants");
    // Without the constant the first site looks for a store that its options do not name: nothing of it is used or made anew.
    let said = network
        .on(1, "try { Engine::call('status'); echo 'opened'; } catch (\\Throwable $fault) { echo $fault->ht_code; }");
    assert!(said == "HT-1106", "{said}");
    network.on(1, "foreach (['epoch', 'counter', 'data_dir'] as $name) { delete_option('halt_tracker_' . $name); }");
    network
        .on(sixth, "foreach (['epoch', 'counter', 'data_dir'] as $name) { delete_option('halt_tracker_' . $name); }");
    network.assert_quiet();
}

/// What is there of a site: its folders, its capture table, its options.
fn remains(network: &Network, blog: u32, folders: &[String]) -> (usize, String) {
    let there = folders.iter().filter(|folder| Path::new(folder.as_str()).is_dir()).count();
    (there, network.stack.sql(&format!("SHOW TABLES LIKE 'wp\\_{blog}\\_halt%'")).expect("tables"))
}

#[test]
fn a_site_that_is_deleted_takes_along_what_its_owner_wanted_gone() {
    let network = network();
    let (seventh, eighth) = (network.site("seventh"), network.site("eighth"));
    for (site, blog) in [("seventh", seventh), ("eighth", eighth)] {
        network.apply(site, "a@example.org");
        assert_eq!(network.emails(blog), "a@example.org ");
    }
    let (gone, kept) = (network.folders(seventh), network.folders(eighth));
    network.on(seventh, "Options::save('delete_on_uninstall', '1');");
    network.stack.clear_logs();
    for blog in [seventh, eighth] {
        network.on(1, &format!("wp_delete_site({blog});"));
    }
    assert_eq!(remains(&network, seventh, &gone), (0, String::new()));
    assert_eq!(remains(&network, eighth, &kept).0, 2, "nobody wanted that gone");
    // Its options went with the site: the log is where the folders are still named.
    let logs = network.stack.logs();
    assert!(logs.contains(&kept[0]) && !logs.contains(&gone[0]), "{logs}");
    assert_eq!(network.equipment(2), equipped(2), "another site lost something");
    network.assert_quiet();
}

#[test]
fn uninstalling_cleans_every_site_as_its_owner_chose() {
    let network = network();
    let (ninth, tenth) = (network.site("ninth"), network.site("tenth"));
    for (site, blog) in [("ninth", ninth), ("tenth", tenth)] {
        network.apply(site, "a@example.org");
        assert_eq!(network.emails(blog), "a@example.org ");
    }
    let (gone, kept) = (network.folders(ninth), network.folders(tenth));
    network.on(ninth, "Options::save('delete_on_uninstall', '1');");
    let plugin = "require_once ABSPATH . 'wp-admin/includes/plugin.php';";
    network.on(1, &format!("{plugin} deactivate_plugins('{PLUGIN}', false, true);"));
    for blog in [1, ninth, tenth] {
        assert_eq!(
            network
                .stack
                .php(&format!(
                    "switch_to_blog({blog}); echo json_encode(wp_next_scheduled('halt_tracker_process_queue'));"
                ))
                .expect("php"),
            "false"
        );
    }
    network.stack.php(&format!("{plugin} uninstall_plugin('{PLUGIN}');")).expect("uninstalled");
    assert_eq!(remains(&network, ninth, &gone), (0, String::new()));
    let options = |blog: u32| {
        network
            .stack
            .sql(&format!("SELECT COUNT(*) FROM wp_{blog}_options WHERE option_name LIKE '%halt\\_tracker%'"))
            .expect("a count")
    };
    assert_eq!(options(ninth), "0");
    assert_eq!(remains(&network, tenth, &kept), (2, format!("wp_{tenth}_halt_tracker_capture")));
    assert_ne!(options(tenth), "0");

    // Active again, the site that kept everything goes on with it.
    let again = format!(
        "{plugin} wp_set_current_user(1); $done = activate_plugin('{PLUGIN}', '', true); if (is_wp_error($done)) {{ throw new Exception($done->get_error_message()); }}"
    );
    network.stack.php(&again).expect("activated");
    assert_eq!(network.emails(tenth), "a@example.org ");
    for blog in [1, 2, ninth, tenth] {
        assert_eq!(network.equipment(blog), equipped(blog));
    }
    network.assert_quiet();
}

#[test]
fn a_worker_sees_that_the_plugin_is_deactivated_for_the_whole_network() {
    let network = network();
    let said = network.on(
        1,
        &format!(
            "$stamp = static fn (): string => (new ReflectionMethod(Halt\\Tracker\\WordPress\\Cli\\Worker::class, 'stamp'))->invoke(null);
             $was = get_site_option('active_sitewide_plugins'); $before = $stamp();
             update_site_option('active_sitewide_plugins', array_diff_key($was, ['{PLUGIN}' => 1])); $without = $stamp();
             update_site_option('active_sitewide_plugins', $was);
             echo count($was) > 1 ? 'network' : 'site', $before === $stamp() ? ' same' : ' other', $before === $without ? ' same' : ' other';"
        ),
    );
    assert_eq!(said, "network same other");
}
