//! Makes the database of an installed WordPress once for a checkout, because installing takes far longer than copying; it
//! is made anew as soon as WordPress, the database server or the installing script change.

use super::{Options, Stack, config, find_program, run};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the data of the installed database, made now when it is missing.
pub fn ensure(options: &Options) -> Result<PathBuf, String> {
    let target = options.checkout.join("target");
    let version = fs::read_to_string(super::wordpress_source(options).join(".complete"))
        .map_err(|_| "WordPress is missing; run tests/install-packages.sh".to_string())?;
    let server = run(Command::new(find_program(&["mariadbd", "mysqld"])?).arg("--version"))?;
    let mut hasher = DefaultHasher::new();
    (version, server, include_str!("install.php"), include_str!("config.rs"), include_str!("template.rs"))
        .hash(&mut hasher);
    let template = target.join(format!("stack-template-{:016x}", hasher.finish()));
    // Test binaries and their threads start at the same time: one makes the template, the others wait for it.
    let gate = fs::File::create(target.join("stack-template.lock")).map_err(|error| error.to_string())?;
    gate.lock().map_err(|error| error.to_string())?;
    if template.is_dir() {
        return Ok(template);
    }
    drop_old(&target);
    let fresh = make(options)?;
    let beside = target.join("stack-template-new");
    run(Command::new("cp").args(["-a", "--"]).arg(fresh.root.join("mysql")).arg(&beside))?;
    fs::rename(&beside, &template).map_err(|error| format!("{}: {error}", template.display()))?;
    Ok(template)
}

/// Templates of former versions, and what a killed process left half made.
fn drop_old(target: &Path) {
    for entry in fs::read_dir(target).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("stack-template-") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// An instance whose database was installed and has ended in an orderly way.
fn make(options: &Options) -> Result<Stack, String> {
    let bare = Options { extension: None, plugin: false, checkout: options.checkout.clone(), ..Options::default() };
    let stack = Stack::prepare(&bare)?;
    let data = stack.root.join("mysql");
    let mut command = Command::new(find_program(&["mariadb-install-db", "mysql_install_db"])?);
    command.args(config::database_arguments(&stack.root).iter().filter(|one| {
        // The installing script knows the server's options but not those of running it.
        ["--no-defaults", "--datadir", "--innodb-log-file-size"].iter().any(|name| one.starts_with(name))
    }));
    run(command.args(["--user=mysql", "--skip-test-db", "--auth-root-authentication-method=normal"]))?;
    run(Command::new("chown").args(["-R", "mysql:mysql", "--"]).arg(&data))?;
    stack.start_database()?;
    let mut first = Command::new(find_program(&["mariadb", "mysql"])?);
    first
        .args(["--no-defaults", "-u", "root"])
        .arg(format!("--socket={}", stack.root.join("run/mysql.sock").display()));
    first.args([
        "-e",
        "CREATE DATABASE wordpress CHARACTER SET utf8mb4; CREATE USER wordpress@localhost IDENTIFIED BY 'wordpress'; \
         GRANT ALL ON `wordpress`.* TO wordpress@localhost",
    ]);
    run(&mut first)?;
    stack.run_script("install.php", include_str!("install.php"), "install")?;
    stack.stop_database();
    Ok(stack)
}
