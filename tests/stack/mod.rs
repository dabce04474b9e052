//! A private WordPress with everything it needs - MariaDB, php-fpm as www-data, nginx - on a loopback port, so that tests
//! and the demo meet the product as a site does. It refuses to use any server that is already on the machine, and leaves
//! nothing behind: dropping a [`Stack`], or killing the process that holds it, ends the servers and removes the folder.
//!
//! Layout: `config` writes the configuration files, `services` starts and ends processes, `template` makes the installed
//! database once, `http` talks to the site, `divi` posts forms, `sim` runs the Tracker simulator.
//! `tests/install-packages.sh` must have run before; root is needed to become www-data.

#![allow(dead_code)] // each test binary includes this module and uses a part of it

mod config;
pub mod divi;
pub mod http;
mod services;
pub mod sim;
mod template;

pub use http::{Reply, Session};
use services::{Leash, Service, as_user, find_program, run, socket_answers, wait_for};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const ADMIN_USER: &str = "admin";
const ADMIN_PASSWORD: &str = "private-stack-password";
const WEB_USER: &str = "www-data";

/// What a stack is made of. Constants are PHP expressions: `("HALT_TRACKER_PAUSED", "true")`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The built module; `None` runs the site without it.
    pub extension: Option<PathBuf>,
    pub workers: u32,
    /// A network with a second site at `/second/`; plugins are active on both.
    pub multisite: bool,
    /// Sets `HALT_TRACKER_OAUTH_URL` and `HALT_TRACKER_API_URL`.
    pub sim_url: Option<String>,
    /// Copies and activates `php-shim/` when that folder exists.
    pub plugin: bool,
    pub constants: Vec<(String, String)>,
    /// Further lines of php.ini and of the php-fpm pool.
    pub ini: Vec<(String, String)>,
    pub pool: Vec<(String, String)>,
    /// The checkout: holds `php-shim/`, `tests/divi-fixture/` and `target/wordpress/`.
    pub checkout: PathBuf,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            extension: None,
            workers: 4,
            multisite: false,
            sim_url: None,
            plugin: true,
            constants: Vec::new(),
            ini: Vec::new(),
            pool: Vec::new(),
            checkout: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        }
    }
}

pub struct Stack {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    /// The folder of this instance; everything it writes is below it.
    pub root: PathBuf,
    pub wordpress: PathBuf,
    pub admin_user: String,
    pub admin_password: String,
    port: u16,
    options: Options,
    php: config::Php,
    has_extension: Mutex<bool>,
    counter: AtomicU32,
    // Dropped in this order: servers first, then the leash, which removes the folder.
    fpm: Mutex<Option<Service>>,
    nginx: Option<Service>,
    database: Mutex<Option<Service>>,
    leash: Leash,
}

impl Stack {
    /// Starts everything; about four seconds, and ten more the first time on a machine.
    pub fn start(options: &Options) -> Result<Stack, String> {
        let installed = template::ensure(options)?;
        let mut stack = Stack::prepare(options)?;
        run(Command::new("cp").args(["-a", "--"]).arg(&installed).arg(stack.root.join("mysql")))?;
        stack.start_database()?;
        stack.start_web()?;
        stack.sql(&format!(
            "UPDATE wp_options SET option_value='{}' WHERE option_name IN ('siteurl','home')",
            stack.url
        ))?;
        if options.multisite {
            stack.run_script("setup.php", include_str!("setup.php"), "network")?;
        }
        stack.set_constants(&[])?;
        stack.run_script("setup.php", include_str!("setup.php"), "activate")?;
        stack.clear_logs(); // WordPress itself warns while it makes a network
        Ok(stack)
    }

    /// The folder with WordPress, the plugins and the PHP configuration; no server runs yet.
    fn prepare(options: &Options) -> Result<Stack, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let source = wordpress_source(options);
        if !source.join(".complete").is_file() {
            return Err(format!("{} is missing; run tests/install-packages.sh", source.display()));
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("halt-tracker-{}-{number}", std::process::id()));
        fs::create_dir(&root).map_err(|error| format!("{}: {error}", root.display()))?;
        let leash = Leash::new(&root)?;
        for (name, mode) in
            [("", 0o755), ("logs", 0o1777), ("run", 0o1777), ("tmp", 0o1777), ("nginx", 0o755), ("module", 0o755)]
        {
            let folder = root.join(name);
            fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).map_err(|error| error.to_string())?;
        }
        let wordpress = root.join("wordpress");
        copy(&source, &wordpress)?;
        let content = wordpress.join("wp-content");
        for folder in ["mu-plugins", "uploads"] {
            fs::create_dir_all(content.join(folder)).map_err(|error| error.to_string())?;
        }
        config::write(&content.join("mu-plugins/quiet.php"), include_str!("quiet.php"))?;
        copy(&options.checkout.join("tests/divi-fixture"), &content.join("plugins/divi-fixture"))?;
        let shim = options.checkout.join("php-shim");
        if options.plugin && shim.is_dir() {
            copy(&shim, &content.join("plugins/halt-tracker"))?;
        }
        if let Some(extension) = &options.extension {
            let to = root.join("module/halt_tracker.so");
            fs::copy(extension, &to).map_err(|error| format!("{}: {error}", extension.display()))?;
            fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).map_err(|error| error.to_string())?;
        }
        run(Command::new("chown")
            .arg("www-data:www-data")
            .arg(&content)
            .arg(content.join("uploads"))
            .arg(root.join("nginx")))?;
        let php = config::find_php()?;
        config::write_php(&root, &php, options)?;
        config::write_wordpress(&root, &random_hex()?)?;
        config::write_constants(&root, &[])?;
        let stack = Stack {
            url: String::new(),
            wordpress,
            admin_user: ADMIN_USER.to_string(),
            admin_password: ADMIN_PASSWORD.to_string(),
            port: 0,
            options: options.clone(),
            php,
            has_extension: Mutex::new(options.extension.is_some()),
            counter: AtomicU32::new(0),
            fpm: Mutex::new(None),
            nginx: None,
            database: Mutex::new(None),
            leash,
            root,
        };
        stack.write_extension_ini(options.extension.is_some())?;
        Ok(stack)
    }

    /// Starts MariaDB; also after [`Stack::stop_database`], on the same data.
    pub fn start_database(&self) -> Result<(), String> {
        let mut command = as_user("mysql", &find_program(&["mariadbd", "mysqld"])?);
        let mut service = self.leash.start("mariadb", command.args(config::database_arguments(&self.root)))?;
        let socket = self.root.join("run/mysql.sock");
        wait_for("mariadb", &mut service, || socket_answers(&socket)).map_err(|error| self.with_logs(error))?;
        *lock(&self.database) = Some(service);
        Ok(())
    }

    /// Ends MariaDB in an orderly way, for tests of a site whose database is away.
    pub fn stop_database(&self) {
        if let Some(mut service) = lock(&self.database).take() {
            service.stop("TERM", Duration::from_secs(20));
        }
    }

    fn start_web(&mut self) -> Result<(), String> {
        self.start_fpm()?;
        // Another process may take the free port before nginx binds it: try a few.
        let mut outcome = Ok(());
        for _ in 0..5 {
            self.port = free_port()?;
            self.url = format!("http://127.0.0.1:{}", self.port);
            config::write_nginx(&self.root, self.port, self.options.multisite)?;
            let mut command = as_user(WEB_USER, &find_program(&["nginx"])?);
            command.arg("-p").arg(self.root.join("nginx")).arg("-c").arg(self.root.join("nginx/nginx.conf"));
            command.arg("-e").arg(self.root.join("logs/nginx.log"));
            let mut service = self.leash.start("nginx", &mut command)?;
            let port = self.port;
            outcome = wait_for("nginx", &mut service, || TcpStream::connect(("127.0.0.1", port)).is_ok());
            if outcome.is_ok() && service.running() {
                self.nginx = Some(service);
                return Ok(());
            }
        }
        outcome.map_err(|error| self.with_logs(error))
    }

    fn start_fpm(&self) -> Result<(), String> {
        let mut command = as_user(WEB_USER, &self.php.fpm);
        command.env("PHP_INI_SCAN_DIR", self.scan_dir(true));
        command.arg("-F").arg("-c").arg(self.root.join("php/php.ini")).arg("-y").arg(self.root.join("php/fpm.conf"));
        let socket = self.root.join("run/fpm.sock");
        let _ = fs::remove_file(&socket);
        let mut service = self.leash.start("php-fpm", &mut command)?;
        wait_for("php-fpm", &mut service, || socket_answers(&socket)).map_err(|error| self.with_logs(error))?;
        *lock(&self.fpm) = Some(service);
        Ok(())
    }

    /// Restarts php-fpm. `QUIT` lets requests finish, `TERM` and `KILL` do not.
    pub fn restart_fpm(&self, signal: &str) -> Result<(), String> {
        if let Some(mut service) = lock(&self.fpm).take() {
            service.stop(signal, Duration::from_secs(20));
        }
        self.start_fpm()
    }

    /// The php-fpm master, and its workers in the order of their numbers.
    pub fn fpm_pids(&self) -> (u32, Vec<u32>) {
        let master = lock(&self.fpm).as_ref().map(Service::pid).unwrap_or(0);
        let list = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap_or_default();
        (master, list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
    }

    fn scan_dir(&self, extension: bool) -> String {
        let base = self.root.join("php/conf.d").display().to_string();
        if extension { format!("{base}:{}", self.root.join("php/extra").display()) } else { base }
    }

    fn write_extension_ini(&self, on: bool) -> Result<(), String> {
        let line = format!("extension={}\n", self.root.join("module/halt_tracker.so").display());
        config::write(&self.root.join("php/extra/halt_tracker.ini"), if on { &line } else { "" })?;
        *lock(&self.has_extension) = on;
        Ok(())
    }

    /// Switches the module on or off for web and command line, and restarts php-fpm.
    pub fn set_extension(&self, on: bool) -> Result<(), String> {
        if on && self.options.extension.is_none() {
            return Err("this stack was started without a built module".to_string());
        }
        self.write_extension_ini(on)?;
        self.restart_fpm("QUIT")
    }

    /// Replaces the constants of wp-config.php: those of the options first, then these (a later name wins).
    pub fn set_constants(&self, more: &[(&str, &str)]) -> Result<(), String> {
        let mut all: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: &str| {
            all.retain(|(known, _)| known != name);
            all.push((name.to_string(), value.to_string()));
        };
        if self.options.multisite {
            let host = format!("'127.0.0.1:{}'", self.port);
            for (name, value) in [("MULTISITE", "true"), ("SUBDOMAIN_INSTALL", "false"), ("PATH_CURRENT_SITE", "'/'")] {
                set(name, value);
            }
            for (name, value) in
                [("DOMAIN_CURRENT_SITE", host.as_str()), ("SITE_ID_CURRENT_SITE", "1"), ("BLOG_ID_CURRENT_SITE", "1")]
            {
                set(name, value);
            }
        }
        if let Some(url) = &self.options.sim_url {
            set("HALT_TRACKER_OAUTH_URL", &format!("'{url}'"));
            set("HALT_TRACKER_API_URL", &format!("'{url}'"));
        }
        self.options.constants.iter().for_each(|(name, value)| set(name, value));
        more.iter().for_each(|(name, value)| set(name, value));
        config::write_constants(&self.root, &all)
    }

    fn with_logs(&self, error: String) -> String {
        format!("{error}\n{}", self.logs())
    }

    /// What every server and WordPress wrote, the end of each file.
    pub fn logs(&self) -> String {
        let mut out = String::new();
        for name in ["mariadb.out", "php-fpm.out", "fpm", "php", "debug", "nginx.out", "nginx"] {
            let bytes = fs::read(self.root.join(format!("logs/{name}.log"))).unwrap_or_default();
            let tail = &bytes[bytes.len().saturating_sub(20_000)..];
            let words = String::from_utf8_lossy(tail);
            // MariaDB tells its whole start; that is noise unless something failed.
            if !words.is_empty() && (name != "mariadb.out" || words.contains("[ERROR]")) {
                out.push_str(&format!("--- {name}.log\n{words}\n"));
            }
        }
        out
    }

    /// Empties the logs, so that a later look finds only what came since.
    pub fn clear_logs(&self) {
        for name in ["php-fpm.out", "fpm", "php", "debug", "nginx.out", "nginx"] {
            let file = fs::OpenOptions::new().write(true).open(self.root.join(format!("logs/{name}.log")));
            let _ = file.and_then(|file| file.set_len(0));
        }
    }
}

/// The guard, also when another test panicked while it held it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    run(Command::new("cp").args(["-rL", "--reflink=auto", "--"]).arg(from).arg(to)).map(drop)?;
    run(Command::new("chmod").args(["-R", "u=rwX,go=rX", "--"]).arg(to)).map(drop)
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

fn random_hex() -> Result<String, String> {
    use std::io::Read;
    let mut bytes = [0_u8; 32];
    let read = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| error.to_string())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

// The ways to use a running stack.
mod site;

/// The unpacked WordPress: the newest one, or that of the suite which `WORDPRESS_SUITE` names.
fn wordpress_source(options: &Options) -> PathBuf {
    let suite = std::env::var("WORDPRESS_SUITE").unwrap_or_default();
    let name = if suite.is_empty() { "wordpress".to_string() } else { format!("wordpress-{suite}") };
    options.checkout.join("target").join(name)
}
