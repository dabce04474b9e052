//! The names that the outside holds on to - options with their defaults, constants, hooks, routes, capabilities, pages - as they
//! really are on a site. A name that changes breaks somebody's site, so each stands here once more.

use crate::site::{on_a_site, quoted};
use serde_json::{Value, json};

/// Option without its prefix, and its default.
const OPTIONS: &[(&str, &str)] = &[
    ("environment", "row"),
    ("redirect_uri", ""),
    ("record_type", "Resource"),
    (
        "field_map",
        r#"{"fullName":"name","firstName":"first_name","lastName":"last_name","email":"email","phone":"phone","note":"message","source":":Website"}"#,
    ),
    ("required_fields", "email"),
    ("attachment_field", ""),
    ("activity_enabled", ""),
    ("activity_subject", "Website enquiry – {{form_id}}"),
    ("activity_notes", "Received {{timestamp}}"),
    ("max_attempts", "6"),
    ("form_routing_resource", ""),
    ("form_routing_lead", ""),
    ("form_routing_contact", ""),
    ("api", "widget"),
    ("duplicates", "use_existing"),
    ("forms", "{}"),
    ("pace", "80"),
    ("alert_email", ""),
    ("record_url", ""),
    ("retention_days", "7"),
    ("delete_on_uninstall", ""),
    ("trusted_proxies", ""),
];
const OTHERS: [&str; 10] = [
    "client_id",
    "client_secret",
    "refresh_token",
    "shared_secret",
    "public_key",
    "data_dir",
    "install_id",
    "epoch",
    "version",
    "key_file",
];

#[test]
fn every_option_has_its_name_and_its_default() {
    on_a_site(|site| {
        let table: Value = serde_json::from_str(&site.php("echo json_encode(Options::table());")).expect("the table");
        for (name, default) in OPTIONS {
            assert_eq!(table[name]["default"], *default, "{name}");
            assert_eq!(site.php(&format!("echo Options::text('{name}');")), *default, "{name}");
        }
        for name in OTHERS {
            assert!(
                table[name].is_object()
                    || ["public_key", "data_dir", "install_id", "epoch", "version", "key_file"].contains(&name),
                "{name}"
            );
        }
        let choices = |name: &str| table[name]["choices"].clone();
        assert_eq!((choices("environment"), choices("api")), (json!(["us", "ca", "row"]), json!(["widget", "rest"])));
        assert_eq!(
            (choices("record_type"), choices("duplicates")),
            (json!(["Resource", "Contact", "Lead"]), json!(["use_existing", "create"]))
        );
    });
}

#[test]
fn a_constant_of_every_option_wins_over_what_is_saved() {
    on_a_site(|site| {
        let names: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).chain(["client_id"]).collect();
        let constants: Vec<(String, String)> = names
            .iter()
            .map(|name| (format!("HALT_TRACKER_{}", name.to_uppercase()), quoted(&format!("constant {name}"))))
            .collect();
        let borrowed: Vec<(&str, &str)> =
            constants.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        site.stack.set_constants(&borrowed).expect("constants");
        for name in names {
            let said = site.php(&format!("update_option('halt_tracker_{name}', 'saved', false); echo Options::text('{name}'), '|', Options::values()['{name}'], '|', json_encode(Options::is_locked('{name}'));"));
            assert_eq!(said, format!("constant {name}|constant {name}|true"));
        }
    });
}

#[test]
fn options_are_not_loaded_with_every_page_but_the_version() {
    on_a_site(|site| {
        site.credentials();
        for tab in ["connection", "mapping", "delivery", "privacy"] {
            assert!(site.save_tab(tab, &[]).has("Saved."), "{tab}");
        }
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("email", "load@example.org")]);
        site.stack.set_extension(true).expect("the module");
        site.cron();
        let loaded = site
            .stack
            .sql("SELECT option_name FROM wp_options WHERE option_name LIKE 'halt\\_tracker%' AND autoload IN ('yes', 'on', 'auto', 'auto-on') ORDER BY 1")
            .expect("options");
        assert_eq!(loaded, "halt_tracker_version");
    });
}

#[test]
fn hooks_schedule_and_tables_are_there_in_every_state_of_the_engine() {
    on_a_site(|site| {
        let asked = "echo json_encode([
            wp_get_schedules()['halt_tracker_five_minutes']['interval'], wp_get_schedule('halt_tracker_process_queue'),
            has_action('halt_tracker_process_queue', ['Halt\\Tracker\\WordPress\\Relay', 'halt_tracker_process_queue']),
            has_action('halt_tracker_continue', ['Halt\\Tracker\\WordPress\\Relay', 'halt_tracker_continue']),
            has_action('et_pb_contact_form_submit', ['Halt\\Tracker\\WordPress\\Divi', 'et_pb_contact_form_submit']),
            has_filter('rest_pre_dispatch', ['Halt\\Tracker\\WordPress\\Webhook', 'rest_pre_dispatch']) !== false,
            Capture::table(), $GLOBALS['wp_filter']['et_pb_contact_form_submit']->callbacks[1]['Halt\\Tracker\\WordPress\\Divi::et_pb_contact_form_submit']['accepted_args']]);";
        for engine in [true, false] {
            site.stack.set_extension(engine).expect("the module");
            assert_eq!(
                site.php(asked),
                r#"[300,"halt_tracker_five_minutes",10,10,1,true,"wp_halt_tracker_capture",3]"#,
                "engine {engine}"
            );
        }
    });
}

#[test]
fn routes_pages_and_capabilities_have_their_names() {
    on_a_site(|site| {
        let routes = site.php("foreach (rest_get_server()->get_routes('halt-tracker/v1') as $route => $handlers) { foreach ($handlers as $one) { echo implode(',', array_keys($one['methods'])), ' ', $route, \"\\n\"; } }");
        for route in [
            "POST /halt-tracker/v1/ingest",
            "GET /halt-tracker/v1/status",
            "GET /halt-tracker/v1/submissions",
            "POST /halt-tracker/v1/run",
            "POST /halt-tracker/v1/test-connection",
        ] {
            assert!(routes.lines().any(|line| line == route), "{route} is missing:\n{routes}");
        }
        for tail in ["/retry", "/discard"] {
            assert!(
                routes
                    .lines()
                    .any(|line| line.starts_with("POST /halt-tracker/v1/submissions/") && line.ends_with(tail)),
                "{tail}:\n{routes}"
            );
        }
        assert!(
            routes.lines().any(|line| line.starts_with("GET /halt-tracker/v1/submissions/(") && line.ends_with(')')),
            "{routes}"
        );
        for page in ["halt-tracker", "halt-tracker-sync-log", "halt-tracker-settings"] {
            assert_eq!(site.page(page).status, 200, "{page}");
        }
        let able = |role: &str| {
            site.php(&format!(
                "$user = wp_insert_user(['user_login' => 'cap{role}' . wp_rand(), 'user_pass' => 'x', 'role' => '{role}']);
                 echo json_encode([user_can($user, 'view_halt_tracker'), user_can($user, 'manage_halt_tracker')]); require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user($user);"
            ))
        };
        assert_eq!(
            (able("administrator").as_str(), able("editor").as_str(), able("subscriber").as_str()),
            ("[true,true]", "[false,false]", "[false,false]")
        );
    });
}
