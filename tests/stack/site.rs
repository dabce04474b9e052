//! What a test does with a running stack: PHP inside WordPress, SQL, requests and log-ins. Kept apart from starting it,
//! so that this file is the list of verbs a test may use.

use super::http::{form_encode, request};
use super::services::{as_user, find_program, run};
use super::{Reply, Session, Stack, WEB_USER, config, lock};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

/// A tick of cron that had its turn: while another run is under way, such as the one after a visitor's answer, a tick does
/// nothing, and on a busy machine that is chance. What the engine says is asked for only where it is there.
const TICK: &str = "
    $others = static function (): bool {
        try {
            return Halt\\Tracker\\WordPress\\Engine::has_store() && Halt\\Tracker\\WordPress\\Engine::call('status')['run']['held'];
        } catch (Throwable) {
            return false;
        }
    };
    $until = time() + 60;
    do {
        while ($others() && time() < $until) { usleep(20000); }
        do_action('halt_tracker_process_queue');
    } while ($others() && time() < $until);";

impl Stack {
    /// Runs PHP inside WordPress as www-data, with the module when it is switched on; what it printed.
    pub fn php(&self, code: &str) -> Result<String, String> {
        let extension = *lock(&self.has_extension);
        self.php_as(WEB_USER, extension, code)
    }

    /// The same as another user of the machine, with or without the module. `code` is PHP without the opening tag.
    pub fn php_as(&self, user: &str, extension: bool, code: &str) -> Result<String, String> {
        let script = format!("require {} . '/wp-load.php';\n{code}", quoted(&self.wordpress));
        let text = format!(
            "<?php\n$_SERVER['HTTP_HOST'] = '127.0.0.1:{}';\n$_SERVER['REQUEST_URI'] = '/';\n{script}",
            self.port
        );
        let name = format!("tmp/code-{}.php", self.counter.fetch_add(1, Ordering::Relaxed));
        config::write(&self.root.join(&name), &text)?;
        let outcome = run(self.php_command(user, extension).arg(self.root.join(&name)));
        let _ = std::fs::remove_file(self.root.join(&name));
        outcome.map_err(|error| self.with_logs(error))
    }

    /// One tick of WordPress' cron, after some PHP; what was printed.
    pub fn tick(&self, before: &str) -> Result<String, String> {
        self.php(&format!("{before}{TICK}"))
    }

    /// The command line's PHP with this stack's configuration, for scripts and options of the caller's own.
    pub fn php_command(&self, user: &str, extension: bool) -> Command {
        let mut command = as_user(user, &self.php.cli);
        command.env("PHP_INI_SCAN_DIR", self.scan_dir(extension)).current_dir(&self.root);
        command.arg("-c").arg(self.root.join("php/php.ini")).args(["-d", "display_errors=stderr"]);
        command
    }

    /// Runs one of this module's own scripts, which load WordPress themselves.
    pub(super) fn run_script(&self, name: &str, text: &str, step: &str) -> Result<String, String> {
        let path = self.root.join("tmp").join(name);
        config::write(&path, text)?;
        let extension = *lock(&self.has_extension);
        let mut command = self.php_command(WEB_USER, extension);
        command.env("STACK_WORDPRESS", &self.wordpress).env("STACK_HOST", format!("127.0.0.1:{}", self.port));
        command.env("STACK_STEP", step).env("STACK_USER", &self.admin_user).env("STACK_PASSWORD", &self.admin_password);
        run(command.arg(&path)).map_err(|error| self.with_logs(error))
    }

    /// One or more statements as the database's root; rows as lines, columns parted by tabs.
    pub fn sql(&self, statement: &str) -> Result<String, String> {
        let mut command = Command::new(find_program(&["mariadb", "mysql"])?);
        command.args(["--no-defaults", "-N", "-B", "-u", "root", "--default-character-set=utf8mb4"]);
        command.arg(format!("--socket={}", self.root.join("run/mysql.sock").display()));
        command.args(["wordpress", "-e", statement]);
        run(&mut command).map(|out| out.trim_end_matches('\n').to_string())
    }

    pub fn get(&self, path: &str) -> Reply {
        request(&self.url, "GET", path, &[], b"")
    }

    /// Posts a form as a browser does, the pairs in their order.
    pub fn post_form(&self, path: &str, pairs: &[(String, String)]) -> Reply {
        self.post_raw(path, &[form_type()], form_encode(pairs).as_bytes())
    }

    pub fn post_raw(&self, path: &str, headers: &[(String, String)], body: &[u8]) -> Reply {
        request(&self.url, "POST", path, headers, body)
    }

    /// Any method with any headers.
    pub fn send(&self, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Reply {
        request(&self.url, method, path, headers, body)
    }

    /// A session of the administrator.
    pub fn login(&self) -> Result<Session, String> {
        self.login_as(&self.admin_user, &self.admin_password)
    }

    pub fn login_as(&self, user: &str, password: &str) -> Result<Session, String> {
        let mut session = Session::default();
        session.keep(&self.get("/wp-login.php"));
        let admin = format!("{}/wp-admin/", self.url);
        let pairs =
            [("log", user), ("pwd", password), ("wp-submit", "Log In"), ("redirect_to", &admin), ("testcookie", "1")];
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let reply = self.post_raw("/wp-login.php", &[form_type(), session.header()], form_encode(&pairs).as_bytes());
        session.keep(&reply);
        if session.cookies.iter().any(|(name, _)| name.starts_with("wordpress_logged_in_")) {
            return Ok(session);
        }
        Err(format!("{user} could not log in: status {}\n{}", reply.status, self.logs()))
    }

    pub fn get_as(&self, session: &Session, path: &str) -> Reply {
        request(&self.url, "GET", path, &[session.header()], b"")
    }

    pub fn post_as(&self, session: &Session, path: &str, pairs: &[(String, String)]) -> Reply {
        self.post_raw(path, &[form_type(), session.header()], form_encode(pairs).as_bytes())
    }
}

fn form_type() -> (String, String) {
    ("Content-Type".to_string(), "application/x-www-form-urlencoded; charset=UTF-8".to_string())
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\\', "\\\\").replace('\'', "\\'"))
}
