//! The configuration files of one instance, here in one place so that a reader sees what the tests run against; nothing
//! of the machine's own configuration is read but PHP's list of extensions.

use super::{Options, services};
use std::fs;
use std::path::{Path, PathBuf};

/// The PHP of this machine: its version, its programs, and the folder that names its extensions.
#[derive(Clone)]
pub struct Php {
    pub cli: String,
    pub fpm: String,
    pub scan: PathBuf,
}

pub fn find_php() -> Result<Php, String> {
    for version in ["8.2", "8.4", "8.3", "8.5", "8.1"] {
        let scan = PathBuf::from(format!("/etc/php/{version}/fpm/conf.d"));
        let fpm = services::find_program(&[&format!("php-fpm{version}")]);
        let cli = services::find_program(&[&format!("php{version}")]);
        if let (true, Ok(fpm), Ok(cli)) = (scan.is_dir(), fpm, cli) {
            return Ok(Php { cli, fpm, scan });
        }
    }
    Err("no php-fpm is installed; run tests/install-packages.sh".to_string())
}

pub fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// php.ini, the copied list of extensions, and the pool. `output_buffering` stays off, as on most hosts: the head of a
/// page is on its way before the body is made.
pub fn write_php(root: &Path, php: &Php, options: &Options) -> Result<(), String> {
    let folder = root.join("php");
    fs::create_dir_all(folder.join("conf.d")).and_then(|()| fs::create_dir_all(folder.join("extra"))).map_err(text)?;
    for entry in fs::read_dir(&php.scan).map_err(text)?.flatten() {
        fs::copy(entry.path(), folder.join("conf.d").join(entry.file_name())).map_err(text)?;
    }
    let mut ini = format!(
        "memory_limit = 256M\npost_max_size = 40M\nupload_max_filesize = 40M\nmax_execution_time = 60\n\
         display_errors = 0\nlog_errors = 1\nerror_reporting = -1\nerror_log = {root}/logs/php.log\n\
         sys_temp_dir = {root}/tmp\nupload_tmp_dir = {root}/tmp\nsendmail_path = /bin/true\noutput_buffering = 0\n\
         expose_php = 0\nopcache.revalidate_freq = 0\nopcache.jit = 0\nopcache.memory_consumption = 64\n",
        root = root.display()
    );
    for (key, value) in &options.ini {
        ini.push_str(&format!("{key} = {value}\n"));
    }
    write(&folder.join("php.ini"), &ini)?;
    let mut pool = format!(
        "[global]\nerror_log = {root}/logs/fpm.log\npid = {root}/run/fpm.pid\ndaemonize = no\n\
         [www]\nlisten = {root}/run/fpm.sock\npm = static\npm.max_children = {workers}\ncatch_workers_output = yes\n\
         decorate_workers_output = no\n",
        root = root.display(),
        workers = options.workers.max(1)
    );
    for (key, value) in &options.pool {
        pool.push_str(&format!("{key} = {value}\n"));
    }
    write(&folder.join("fpm.conf"), &pool)
}

/// Every parameter is written here because Debian's own list sets HTTP_HOST without the port, and WordPress would then
/// redirect every page to itself.
pub fn write_nginx(root: &Path, port: u16, multisite: bool) -> Result<(), String> {
    let network = "if (!-e $request_filename) {\n\
        rewrite /wp-admin$ $scheme://$http_host$uri/ permanent;\n\
        rewrite ^(/[^/]+)?(/wp-.*) $2 last;\nrewrite ^(/[^/]+)?(/.*\\.php)$ $2 last;\n}\n";
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {}/nginx/{name};\n", root.display()))
        .collect();
    let parameters: String = [
        ("QUERY_STRING", "$query_string"),
        ("REQUEST_METHOD", "$request_method"),
        ("CONTENT_TYPE", "$content_type"),
        ("CONTENT_LENGTH", "$content_length"),
        ("SCRIPT_FILENAME", "$document_root$fastcgi_script_name"),
        ("SCRIPT_NAME", "$fastcgi_script_name"),
        ("REQUEST_URI", "$request_uri"),
        ("DOCUMENT_URI", "$document_uri"),
        ("DOCUMENT_ROOT", "$document_root"),
        ("SERVER_PROTOCOL", "$server_protocol"),
        ("REQUEST_SCHEME", "$scheme"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_SOFTWARE", "nginx"),
        ("REMOTE_ADDR", "$remote_addr"),
        ("REMOTE_PORT", "$remote_port"),
        ("SERVER_ADDR", "$server_addr"),
        ("SERVER_PORT", "$server_port"),
        ("SERVER_NAME", "$server_addr"),
        ("REDIRECT_STATUS", "200"),
        ("HTTP_HOST", "$http_host"),
    ]
    .iter()
    .map(|(name, value)| format!("fastcgi_param {name} {value};\n"))
    .collect();
    let conf = format!(
        "daemon off;\npid {root}/run/nginx.pid;\nerror_log {root}/logs/nginx.log;\nworker_processes 1;\n\
         events {{ worker_connections 256; }}\nhttp {{\ninclude /etc/nginx/mime.types;\n\
         access_log {root}/logs/access.log;\nclient_max_body_size 40m;\n{temp}\
         server {{\nlisten 127.0.0.1:{port};\nroot {root}/wordpress;\nindex index.php;\n{network}\
         location / {{ try_files $uri $uri/ /index.php?$args; }}\n\
         location ~ \\.php$ {{\ntry_files $uri =404;\n{parameters}fastcgi_read_timeout 300;\n\
         fastcgi_pass unix:{root}/run/fpm.sock;\n}}\n}}\n}}\n",
        root = root.display(),
        network = if multisite { network } else { "" },
    );
    write(&root.join("nginx/nginx.conf"), &conf)
}

/// wp-config.php; what tests change afterwards is in constants.php, which it includes.
pub fn write_wordpress(root: &Path, salt: &str) -> Result<(), String> {
    let mut php = format!(
        "<?php\nrequire __DIR__ . '/constants.php';\ndefine('DB_NAME', 'wordpress');\ndefine('DB_USER', 'wordpress');\n\
         define('DB_PASSWORD', 'wordpress');\ndefine('DB_HOST', 'localhost:{root}/run/mysql.sock');\n\
         define('DB_CHARSET', 'utf8mb4');\ndefine('DB_COLLATE', '');\ndefine('WP_DEBUG', true);\n\
         define('WP_DEBUG_DISPLAY', false);\ndefine('WP_DEBUG_LOG', '{root}/logs/debug.log');\n\
         define('DISABLE_WP_CRON', true);\ndefine('AUTOMATIC_UPDATER_DISABLED', true);\ndefine('FS_METHOD', 'direct');\n",
        root = root.display()
    );
    for name in ["AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"] {
        php.push_str(&format!("define('{name}_KEY', '{salt}-{name}-key');\n"));
        php.push_str(&format!("define('{name}_SALT', '{salt}-{name}-salt');\n"));
    }
    php.push_str("$table_prefix = 'wp_';\nif (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }\n");
    php.push_str("require_once ABSPATH . 'wp-settings.php';\n");
    write(&root.join("wordpress/wp-config.php"), &php)
}

/// Constants as PHP expressions, in a file of their own so that a running stack can get others.
pub fn write_constants(root: &Path, constants: &[(String, String)]) -> Result<(), String> {
    let mut php = String::from("<?php\n");
    for (name, expression) in constants {
        php.push_str(&format!("define('{name}', {expression});\n"));
    }
    write(&root.join("wordpress/constants.php"), &php)
}

/// MariaDB without a network, small and careless about power cuts: the data lives as long as a test.
pub fn database_arguments(root: &Path) -> Vec<String> {
    let mut arguments = vec!["--no-defaults".to_string()];
    for (name, path) in
        [("datadir", "mysql"), ("socket", "run/mysql.sock"), ("pid-file", "run/mysql.pid"), ("tmpdir", "tmp")]
    {
        arguments.push(format!("--{name}={}", root.join(path).display()));
    }
    let plain = [
        "--skip-networking",
        "--skip-log-bin",
        "--skip-name-resolve",
        "--performance-schema=OFF",
        "--innodb-log-file-size=10M",
        "--innodb-buffer-pool-size=48M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--innodb-use-native-aio=0",
        "--character-set-server=utf8mb4",
        "--max-allowed-packet=64M",
    ];
    arguments.extend(plain.iter().map(|one| one.to_string()));
    arguments
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}
