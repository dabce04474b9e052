//! Where data and key are put on a new site: outside every folder that a web server delivers, as far as that can be known;
//! private; the key in another folder than what it opens. The plugin's own class decides, on trees of folders that hosts have.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The class with as much of WordPress around it as it asks for: `argv` is its folder, ABSPATH, document root, address.
const SCRIPT: &str = r#"
namespace {
    define('ABSPATH', $argv[2] . '/'); define('WP_CONTENT_DIR', $argv[2] . '/wp-content');
    if ($argv[3] !== '') { $_SERVER['DOCUMENT_ROOT'] = $argv[3]; }
    $GLOBALS['saved'] = ['siteurl' => $argv[4]];
    function get_option($name, $usual = '') { return $GLOBALS['saved'][$name] ?? $usual; }
    function is_multisite() { return false; }
    function wp_unslash($value) { return $value; }
    function wp_parse_url($url, $part) { return parse_url($url, $part); }
    function wp_upload_dir($time, $make) { return ['basedir' => WP_CONTENT_DIR . '/uploads']; }
}
namespace Halt\Tracker\WordPress {
    final class Site {
        public static function once($name, $value) { return $GLOBALS['saved'][$name] ??= $value; }
        public static function mark() { return "mark\n"; }
    }
    final class Engine { public static function has_store() { return false; } }
    foreach (['engine-exception', 'ground', 'places'] as $name) {
        require $argv[1] . '/php-shim/includes/class-' . $name . '.php';
    }
    echo Places::data_dir(), "\n", Places::key_file(), "\n", Ground::is_below_web_root(Places::data_dir()) ? 'below' : 'outside', "\n";
}
"#;

struct Chosen {
    data: PathBuf,
    key: PathBuf,
    below: bool,
}

fn chosen(site: &Path, document_root: &str, address: &str) -> Chosen {
    std::fs::create_dir_all(site.join("wp-content")).expect("a site");
    let output = Command::new("php")
        .args(["-n", "-r", SCRIPT, "--", env!("CARGO_MANIFEST_DIR")])
        .arg(site)
        .args([document_root, address])
        .output()
        .expect("php");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said} {}", String::from_utf8_lossy(&output.stderr));
    Chosen { data: lines[0].into(), key: lines[1].into(), below: lines[2] == "below" }
}

#[test]
fn data_and_key_are_put_outside_every_folder_that_a_web_server_delivers() {
    let root = tempfile::tempdir().expect("a folder");
    let base = root.path().canonicalize().expect("real");
    let at = |path: &str| base.join(path);
    let say = |path: PathBuf| path.display().to_string();
    let index = |path: &str| {
        std::fs::create_dir_all(at(path)).expect("made");
        std::fs::write(at(path).join("index.html"), "").expect("written");
    };
    // Another site's root, known by its index; the parent of a site is often one.
    index("shared/main");
    // A tree in which every folder above is delivered.
    for path in ["none", "none/a", "none/a/b", "none/a/b/c"] {
        index(path);
    }
    let cases: [(&str, &str, String, &str, &str); 7] = [
        ("a site of its own", "one/acme/site", say(at("one/acme/site")), "https://example.org", "one/acme"),
        (
            "in a folder of the document root",
            "two/acme/site/blog",
            say(at("two/acme/site")),
            "https://example.org/blog",
            "two/acme",
        ),
        ("the same from the command line", "cli/acme/site/blog", String::new(), "https://example.org/blog", "cli/acme"),
        (
            "below another site's root",
            "shared/main/shop",
            say(at("shared/main/shop")),
            "https://shop.example",
            "shared",
        ),
        ("public_html", "home/ada/public_html", say(at("home/ada/public_html")), "https://example.org", "home/ada"),
        (
            "an add-on domain in public_html",
            "home/eve/public_html/shop",
            say(at("home/eve/public_html/shop")),
            "https://shop.example",
            "home/eve",
        ),
        ("htdocs in htdocs", "xampp/htdocs/www/site", say(at("xampp/htdocs")), "https://example.org/www/site", "xampp"),
    ];
    for (what, site, document_root, address, wanted) in &cases {
        let found = chosen(&at(site), document_root, address);
        assert_eq!(found.data.parent(), Some(at(wanted).as_path()), "{what}: {}", found.data.display());
        assert!(!found.below, "{what}");
        assert_private(&found, false);
    }
    let found = chosen(&at("none/a/b/c/site"), &say(at("none/a/b/c/site")), "https://example.org");
    assert_eq!(
        found.data.parent(),
        Some(at("none/a/b/c/site/wp-content").as_path()),
        "nowhere outside: below the content folder, and said so"
    );
    assert!(found.below);
    assert_private(&found, true);
    println!(
        "campaign placing: real folders: {} trees of folders, data and key outside what is delivered, or under deny files and said so",
        cases.len() + 1
    );
}

/// Deployments make a new release each time, link it, and delete old ones: what lies in one of them goes with it.
#[test]
fn where_each_deployment_is_a_folder_of_its_own_data_and_key_outlive_it() {
    let root = tempfile::tempdir().expect("a folder");
    let base = root.path().canonicalize().expect("real");
    let at = |path: &str| base.join(path);
    // What, the folder that stays, the release in it, WordPress in the release, where data and key are wanted below the first.
    let cases = [
        ("Bedrock", "home/forge/example.org", "releases/42", "web/wp", ""),
        ("Deployer", "home/ada/app", "releases/20261128", "public", ""),
        ("releases of another name", "srv/site", "versions/7", "htdocs", ""),
        // What lies below "www" may be delivered: of what stays the uploads are left, which each release links.
        ("Trellis in a panel's folders", "host/www/ada/sites/example.org", "releases/42", "web/wp", "shared/uploads"),
    ];
    for (what, stays, release, wordpress, wanted) in cases {
        let site = at(stays).join(release).join(wordpress);
        std::fs::create_dir_all(site.join("wp-content")).expect("a site");
        std::fs::create_dir_all(at(stays).join("shared/uploads")).expect("shared");
        std::os::unix::fs::symlink(at(stays).join("shared/uploads"), site.join("wp-content/uploads")).expect("linked");
        std::os::unix::fs::symlink(at(stays).join(release), at(stays).join("current")).expect("linked");
        let document_root = at(stays).join("current").join(wordpress.split('/').next().unwrap_or_default());
        for document_root in [document_root.display().to_string(), String::new()] {
            let found = chosen(&site, &document_root, "https://example.org");
            let wanted: PathBuf = at(stays).join(wanted).components().collect();
            assert_eq!(found.data.parent(), Some(wanted.as_path()), "{what}: {}", found.data.display());
            assert_eq!(found.key.parent().and_then(Path::parent), Some(wanted.as_path()), "{what}");
            assert_eq!(found.below, wanted.ends_with("uploads"), "{what}");
            assert_private(&found, found.below);
        }
        std::fs::remove_dir_all(at(stays).join(release)).expect("a later deployment cleans up");
    }
}

fn assert_private(found: &Chosen, deny: bool) {
    let key_dir = found.key.parent().expect("a folder");
    let random = |dir: &Path, begin: &str| {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digits = name.strip_prefix(begin).unwrap_or_default().to_owned();
        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    assert!(random(&found.data, "halt-tracker-") && random(key_dir, "halt-tracker-key-"), "{}", key_dir.display());
    assert_ne!(
        found.data.file_name().map(|name| name.to_string_lossy()[13..].to_owned()),
        key_dir.file_name().map(|name| name.to_string_lossy()[17..].to_owned())
    );
    assert!(found.key.extension().is_some_and(|end| end == "php"));
    for dir in [found.data.as_path(), key_dir] {
        let mode = std::fs::metadata(dir).expect("made").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", dir.display());
        assert_eq!(dir.join(".htaccess").is_file() && dir.join("index.php").is_file(), deny, "{}", dir.display());
    }
}
