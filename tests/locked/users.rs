//! The users of a site that attack it: a stranger, a subscriber, a second administrator whose nonces are not the first's.
//! Nonces are made as WordPress would make them for a session, so that a refusal has no other reason than the one named.

use crate::site::{Site, quoted};
use crate::stack::Session;
use serde_json::Value;
use std::collections::BTreeMap;

pub struct User {
    pub session: Session,
    /// By action of admin-post, and `wp_rest`.
    pub nonces: BTreeMap<String, String>,
}

/// Every handler that the plugin adds to admin-post.php, and every route with its methods, as WordPress has them.
pub struct Doors {
    pub actions: Vec<String>,
    pub routes: Vec<(String, String)>,
}

pub fn doors(site: &Site) -> Doors {
    let said = site.php(
        "define('WP_ADMIN', true); \\Halt\\Tracker\\WordPress\\Plugin::register();
        $found = ['actions' => [], 'nopriv' => [], 'routes' => []];
        foreach (array_keys($GLOBALS['wp_filter']) as $name) {
            foreach (['admin_post_nopriv_', 'wp_ajax_nopriv_', 'wp_ajax_'] as $open) {
                if (str_starts_with($name, $open . 'halt')) { $found['nopriv'][] = $name; }
            }
            if (str_starts_with($name, 'admin_post_halt_tracker_')) { $found['actions'][] = substr($name, strlen('admin_post_')); }
        }
        foreach (rest_get_server()->get_routes('halt-tracker/v1') as $route => $handlers) {
            foreach ($handlers as $handler) {
                foreach (array_keys($handler['methods'] ?? []) as $method) { $found['routes'][] = [$method, $route]; }
            }
        }
        echo json_encode($found);",
    );
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(found["nopriv"], serde_json::json!([]), "a handler for everybody");
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let routes = found["routes"].as_array().into_iter().flatten();
    Doors {
        actions: texts(&found["actions"]),
        routes: routes
            .map(|pair| (pair[0].as_str().unwrap_or("").to_owned(), pair[1].as_str().unwrap_or("").to_owned()))
            .filter(|(_, route)| route != "/halt-tracker/v1" && !route.ends_with("/ingest"))
            .collect(),
    }
}

/// Logs a user of this role in, and gives the nonces of that very session.
pub fn user(site: &Site, role: &str, doors: &Doors) -> User {
    let name = format!("attacker-{role}");
    site.php(&format!(
        "username_exists('{name}') ?: wp_insert_user(['user_login' => '{name}', 'user_pass' => 'a password of some length', 'user_email' => '{name}@example.org', 'role' => '{role}']);"
    ));
    let session = site.stack.login_as(&name, "a password of some length").expect("a log-in");
    with_nonces(site, session, &name, doors)
}

/// The nonces of a session that is there.
pub fn with_nonces(site: &Site, session: Session, name: &str, doors: &Doors) -> User {
    let cookie = session.cookies.iter().find(|(name, _)| name.starts_with("wordpress_logged_in_")).expect("a cookie");
    let actions = doors.actions.iter().map(|action| quoted(action)).collect::<Vec<_>>().join(",");
    let said = site.php(&format!(
        "$_COOKIE[LOGGED_IN_COOKIE] = rawurldecode({}); wp_set_current_user(get_user_by('login', {})->ID);
        $nonces = ['wp_rest' => wp_create_nonce('wp_rest')];
        foreach ([{actions}] as $action) {{ $nonces[$action] = wp_create_nonce($action); }}
        echo json_encode($nonces);",
        quoted(&cookie.1),
        quoted(name)
    ));
    let nonces = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    User { session, nonces }
}

/// Everything that may not change: options, what users have of ours, submissions, pauses, secrets. Times of cron and of
/// caches change by themselves.
pub fn state(site: &Site) -> String {
    let options = site
        .stack
        .sql(
            "SELECT option_name, MD5(option_value) FROM wp_options WHERE option_name NOT LIKE '%transient%' AND option_name NOT IN ('cron','rewrite_rules','recently_activated','auth_key') ORDER BY 1;
             SELECT user_id, meta_key, meta_value FROM wp_usermeta WHERE meta_key LIKE '%halt%' ORDER BY 1, 2;
             SELECT option_name, option_value FROM wp_options WHERE option_name LIKE '%transient%halt%' AND option_name NOT LIKE '%timeout%' ORDER BY 1",
        )
        .expect("rows");
    let held: Vec<String> =
        site.submissions().iter().map(|one| format!("{} {} {}", one["id"], one["state"], one["erase"])).collect();
    let status = site.status();
    format!("{options}\n{held:?}\n{}\n{}\n{}", status["counts"], status["lane"], status["secrets"])
}
