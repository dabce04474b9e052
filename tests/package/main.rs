//! What is handed out: the zip holds the plugin and nothing that a web server must not deliver, its header says what is
//! fixed, and installing puts the extension where this PHP looks for it, without touching the machine's own PHP.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Every file below a folder, by its path from there.
fn below(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                found.insert(path.strip_prefix(folder).expect("inside").display().to_string());
            }
        }
    }
    found
}

/// A module as the linker would have made it; nothing here loads it.
fn module(folder: &Path) -> PathBuf {
    let path = folder.join("libhalt_tracker.so");
    fs::write(&path, b"\x7fELF a module").expect("written");
    path
}

#[test]
fn the_zip_holds_the_plugin_and_nothing_else() {
    let place = tempfile::tempdir().expect("a folder");
    let out = place.path().join("dist");
    run(Command::new(root().join("tests/dist.sh")).arg(module(place.path())).arg(&out));
    assert_eq!(below(&out), ["SHA256SUMS", "halt-tracker.zip", "halt_tracker.so"].map(str::to_owned).into());
    let unpacked = place.path().join("unpacked");
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(out.join("halt-tracker.zip")).arg(&unpacked));
    let packed = below(&unpacked);
    let source: BTreeSet<String> =
        below(&root().join("php-shim")).iter().map(|path| format!("halt-tracker/{path}")).collect();
    assert_eq!(packed, source, "the zip and php-shim differ");
    for path in &packed {
        assert!(path.split('/').all(|part| !part.starts_with('.')), "{path} is hidden");
        let kind = Path::new(path).extension().and_then(|kind| kind.to_str()).unwrap_or("");
        assert!(["php", "txt", "css", "js", "pot", "png", "svg"].contains(&kind), "{path} has no place in a plugin");
    }
    let sums = run(Command::new("sha256sum").arg("-c").arg("SHA256SUMS").current_dir(&out));
    assert!(sums.contains("halt-tracker.zip: OK") && sums.contains("halt_tracker.so: OK"), "{sums}");
}

#[test]
fn hidden_files_and_modules_in_the_folder_do_not_reach_the_zip() {
    let place = tempfile::tempdir().expect("a folder");
    let copy = place.path().join("checkout");
    fs::create_dir_all(copy.join("tests")).expect("made");
    run(Command::new("cp").arg("-r").arg(root().join("php-shim")).arg(&copy));
    fs::copy(root().join("tests/dist.sh"), copy.join("tests/dist.sh")).expect("copied");
    for stray in
        ["php-shim/.env", "php-shim/includes/.git/config", "php-shim/halt_tracker.so", "php-shim/assets/x.so.1"]
    {
        fs::create_dir_all(copy.join(stray).parent().expect("a folder")).expect("made");
        fs::write(copy.join(stray), "stray").expect("written");
    }
    let out = place.path().join("dist");
    run(Command::new(copy.join("tests/dist.sh")).arg(module(place.path())).arg(&out));
    let listed = run(Command::new("python3").args(["-m", "zipfile", "-l"]).arg(out.join("halt-tracker.zip")));
    assert!(listed.contains("halt-tracker/halt-tracker.php"), "{listed}");
    for stray in [".env", ".git", ".so"] {
        assert!(!listed.contains(stray), "{stray} is in the zip:\n{listed}");
    }
}

/// A line `name: value` of a header or a readme.
fn named<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let line = line.trim_start_matches([' ', '*']);
        line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')).map(str::trim)
    })
}

#[test]
fn header_readme_and_extension_say_the_same() {
    let main = fs::read_to_string(root().join("php-shim/halt-tracker.php")).expect("the main file");
    let readme = fs::read_to_string(root().join("php-shim/readme.txt")).expect("the readme");
    for (name, value) in [
        ("Plugin Name", "RoleCall - powered by Halt"),
        ("Text Domain", "halt-tracker"),
        ("Requires at least", "6.4"),
        ("Requires PHP", "8.1"),
        ("Update URI", "false"),
        ("License", "GPL-2.0-or-later"),
        ("Version", env!("CARGO_PKG_VERSION")),
    ] {
        assert_eq!(named(&main, name), Some(value), "{name}");
    }
    assert!(main.contains(&format!("const VERSION     = '{}';", env!("CARGO_PKG_VERSION"))), "the constant VERSION");
    assert_eq!(named(&readme, "Stable tag"), Some(env!("CARGO_PKG_VERSION")));
    for name in ["Requires at least", "Requires PHP", "License"] {
        assert_eq!(named(&readme, name), named(&main, name), "{name}");
    }
    assert!(readme.starts_with("=== RoleCall - powered by Halt ===\n"));
    let changes = fs::read_to_string(root().join("CHANGELOG.md")).expect("the changelog");
    assert!(
        changes.contains(&format!("## {}", env!("CARGO_PKG_VERSION")))
            && readme.contains(&format!("= {} =", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn every_php_file_refuses_direct_access_and_folders_show_no_list() {
    let shim = root().join("php-shim");
    for path in below(&shim).iter().filter(|path| path.ends_with(".php")) {
        let text = fs::read_to_string(shim.join(path)).expect("text");
        assert!(text.contains("defined('ABSPATH') || exit;"), "{path} may be called directly");
        let folder = Path::new(path).parent().expect("a folder");
        assert!(shim.join(folder).join("index.php").is_file(), "{} has no index.php", folder.display());
    }
}

/// A PHP whose folders lie in a temporary place: it answers as a machine's own would. `scan` is where its command line looks
/// for ini files.
fn php(place: &Path, scan: &str) -> PathBuf {
    for folder in ["lib", "bin", scan, "wordpress/wp-content/plugins"] {
        fs::create_dir_all(place.join(folder)).expect("made");
    }
    let script = format!(
        "#!/usr/bin/env bash\ncase \"$*\" in\n*extension_dir*) echo -n '{0}/lib' ;;\n*PHP_CONFIG_FILE_SCAN_DIR*) echo -n '{0}/{2}' ;;\n\
         *-m) [ -f '{0}/lib/halt_tracker.so' ] && grep -qx 'extension=halt_tracker' '{0}/{2}/30-halt_tracker.ini' && printf 'Core\\nhalt_tracker\\njson\\n' ;;\n\
         *version*) echo -n '{1}' ;;\n*) echo \"unexpected: $*\" >&2; exit 9 ;;\nesac\n",
        place.display(),
        env!("CARGO_PKG_VERSION"),
        scan
    );
    let path = place.join("bin/php");
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    place.join("bin")
}

/// The search path with a folder in front.
fn path_with(bin: &Path) -> String {
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default())
}

#[test]
fn a_folder_of_ini_files_that_stands_beside_other_programs_is_the_only_one_that_is_written() {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path();
    let path = path_with(&php(place, "etc/php/conf.d"));
    fs::create_dir_all(place.join("etc/fonts/conf.d")).expect("made");
    run(Command::new(root().join("tests/install.sh")).arg(module(place)).env("PATH", &path));
    assert_eq!(below(&place.join("etc")), ["php/conf.d/30-halt_tracker.ini"].map(str::to_owned).into());
}

#[test]
fn installing_puts_extension_and_plugin_where_they_are_looked_for() {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path();
    let path = path_with(&php(place, "etc/cli/conf.d"));
    for folder in ["etc/fpm/conf.d", "etc/apache2/conf.d", "etc/mods-available"] {
        fs::create_dir_all(place.join(folder)).expect("made");
    }
    let built = module(place);
    let install = || {
        let mut command = Command::new(root().join("tests/install.sh"));
        run(command.arg(&built).arg(place.join("wordpress")).env("PATH", &path))
    };
    let said = install();
    assert_eq!(fs::read(place.join("lib/halt_tracker.so")).expect("the module"), fs::read(&built).expect("it"));
    for kind in ["cli", "fpm", "apache2"] {
        let ini = place.join(format!("etc/{kind}/conf.d/30-halt_tracker.ini"));
        assert_eq!(fs::read_to_string(ini).expect("an ini file"), "extension=halt_tracker\n", "{kind}");
    }
    assert_eq!(below(&place.join("etc")).len(), 3, "{:?}", below(&place.join("etc")));
    assert_eq!(below(&place.join("wordpress/wp-content/plugins/halt-tracker")), below(&root().join("php-shim")));
    assert!(said.contains("restart php-fpm") && said.contains(env!("CARGO_PKG_VERSION")), "{said}");

    // A file that a former version had is gone after the next installation; what is beside the plugin stays.
    let plugins = place.join("wordpress/wp-content/plugins");
    fs::write(plugins.join("halt-tracker/includes/class-former.php"), "<?php").expect("written");
    fs::create_dir(plugins.join("other")).expect("made");
    install();
    assert_eq!(below(&plugins.join("halt-tracker")), below(&root().join("php-shim")));
    assert!(plugins.join("other").is_dir());
    let names: BTreeSet<String> = fs::read_dir(&plugins)
        .expect("listed")
        .flatten()
        .map(|one| one.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["halt-tracker", "other"].map(str::to_owned).into());

    // What has the name and is something else is left alone.
    fs::write(plugins.join("halt-tracker/halt-tracker.php"), "<?php // another").expect("written");
    let mut command = Command::new(root().join("tests/install.sh"));
    let refused = command.arg(&built).arg(place.join("wordpress")).env("PATH", &path).output().expect("it starts");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("is not this plugin"));
}
