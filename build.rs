//! Tells the crate what only the build knows: its revision, and the PHP that it is built for.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-env-changed=PHP");
    println!("cargo::rustc-check-cfg=cfg(php_zts)");
    if let Some(revision) = said_by("git", &["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=HALT_TRACKER_REVISION={revision}");
    }
    if std::env::var_os("CARGO_FEATURE_PHP").is_none() {
        return;
    }
    let php = std::env::var("PHP").unwrap_or_else(|_| "php".to_owned());
    if said_by(&php, &["-n", "-r", "echo PHP_ZTS;"]).as_deref() == Some("1") {
        println!("cargo::rustc-cfg=php_zts");
    }
    if let Some(version) = said_by(&php, &["-n", "-r", "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;"]) {
        println!("cargo::rustc-env=HALT_TRACKER_PHP={version}");
    }
}

/// What a program prints; `None` when it is not there or fails.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
