<?php
/**
 * Chooses the folder of the store and the folder of its key once, outside every web root where that can be done, and remembers both.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Where data and key lie. It never moves or deletes anything. */
final class Places
{
    /** The file that says whose folder it is; it holds the install id. Nothing without it is ever removed. */
    public const MARKER = 'halt-tracker-store';

    /** The engine's database in the data folder; the plugin only looks whether it is there. */
    public const DATABASE = 'queue.sqlite';

    /** Names that hosts give to folders which a web server delivers. */
    private const ROOT_NAMES = ['public_html', 'htdocs', 'httpdocs', 'httpsdocs', 'html', 'public', 'web', 'www', 'wwwroot', 'webroot', 'webspace'];

    /** The data directory of this site; chosen, made and remembered when there is none yet. */
    public static function data_dir(): string
    {
        if (self::constant('HALT_TRACKER_DATA_DIR') !== '') {
            return self::of_blog(rtrim(self::constant('HALT_TRACKER_DATA_DIR'), '/'));
        }
        $saved = (string) get_option('halt_tracker_data_dir', '');
        if ($saved === '') {
            $saved = Site::once('halt_tracker_data_dir', self::of_blog(self::base() . '/halt-tracker-' . bin2hex(random_bytes(16))));
        }
        // A folder that had a store is never made again: the engine has to see that it is gone.
        if (!@is_dir($saved) && !Engine::has_store()) {
            self::make($saved);
        }
        return $saved;
    }

    /** The file of the first key, in another random folder than the store. */
    public static function key_file(): string
    {
        if (self::constant('HALT_TRACKER_KEY_FILE') !== '') {
            return self::constant('HALT_TRACKER_KEY_FILE');
        }
        $saved = (string) get_option('halt_tracker_key_file', '');
        if ($saved === '') {
            $saved = Site::once('halt_tracker_key_file', self::base() . '/halt-tracker-key-' . bin2hex(random_bytes(16)) . '/key.php');
        }
        if (!@is_dir(dirname($saved)) && (string) get_option('halt_tracker_public_key', '') === '') {
            self::make(dirname($saved));
            // The engine marks the store's folder; this one is marked here, so that uninstalling knows it as ours.
            @file_put_contents(dirname($saved) . '/' . self::MARKER, Site::mark());
        }
        return $saved;
    }

    /** The folder as it is known, without choosing one: for screens and uninstalling. */
    public static function known_data_dir(): string
    {
        $constant = self::constant('HALT_TRACKER_DATA_DIR');
        return $constant !== '' ? self::of_blog(rtrim($constant, '/')) : (string) get_option('halt_tracker_data_dir', '');
    }

    /** The key file as it is known, without choosing one. */
    public static function known_key_file(): string
    {
        $constant = self::constant('HALT_TRACKER_KEY_FILE');
        return $constant !== '' ? $constant : (string) get_option('halt_tracker_key_file', '');
    }

    /** Whether a path lies where a web server could deliver it. */
    public static function is_below_web_root(string $path): bool
    {
        foreach (self::web_roots() as $root) {
            if ($path === $root || str_starts_with($path, $root . '/')) {
                return true;
            }
        }
        return array_intersect(explode('/', strtolower($path)), self::ROOT_NAMES) !== [] && !str_starts_with($path . '/', '/var/www/halt-tracker');
    }

    /** Makes a private folder with deny files; says whether it is there. */
    public static function make(string $dir): bool
    {
        if (@is_dir($dir)) {
            return true;
        }
        $before = umask(0077);
        $made   = @mkdir($dir, 0700, true) || @is_dir($dir);
        umask($before);
        if (!$made) {
            return false;
        }
        // Only where a web server might look; elsewhere they would be clutter.
        if (self::is_below_web_root($dir)) {
            @file_put_contents($dir . '/index.php', "<?php\n// Nothing to see here.\n");
            @file_put_contents($dir . '/.htaccess', "<IfModule mod_authz_core.c>\nRequire all denied\n</IfModule>\n<IfModule !mod_authz_core.c>\nDeny from all\n</IfModule>\n");
        }
        return true;
    }

    /** A writable folder outside every web root, else the content folder. */
    private static function base(): string
    {
        $candidate = self::normal(ABSPATH);
        for ($up = 0; $up < 4; $up++) {
            $candidate = dirname($candidate);
            if ($candidate === '/' || $candidate === '.') {
                break;
            }
            if (self::is_private($candidate)) {
                return $candidate;
            }
        }
        return self::normal(WP_CONTENT_DIR);
    }

    private static function is_private(string $dir): bool
    {
        if (in_array($dir, ['/tmp', '/var/tmp', '/dev/shm', '/home', '/var', '/usr', '/etc'], true) || !@is_dir($dir) || !@is_writable($dir)) {
            return false;
        }
        // "/var/www" is the usual home of sites, not itself a site; every other folder of such a name is suspect.
        $named_like_a_root = array_intersect(explode('/', strtolower($dir)), self::ROOT_NAMES) !== [] && $dir !== '/var/www';
        $looks_like_a_root = @file_exists($dir . '/index.php') || @file_exists($dir . '/index.html') || @file_exists($dir . '/.htaccess');
        if ($named_like_a_root || $looks_like_a_root) {
            return false;
        }
        foreach (self::web_roots() as $root) {
            if ($dir === $root || str_starts_with($dir, $root . '/')) {
                return false;
            }
        }
        return true;
    }

    /** @return list<string> The folders that are known to be delivered, WordPress' own among them. */
    private static function web_roots(): array
    {
        $abspath = self::normal(ABSPATH);
        $roots   = [$abspath, self::normal(WP_CONTENT_DIR)];
        if (!empty($_SERVER['DOCUMENT_ROOT']) && is_string($_SERVER['DOCUMENT_ROOT'])) {
            // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- a path of the server's own configuration.
            $roots[] = self::normal(wp_unslash($_SERVER['DOCUMENT_ROOT']));
        }
        // The command line knows no document root: a site in /blog has it as many levels up as its address is deep.
        $deep = trim((string) wp_parse_url((string) get_option('siteurl'), PHP_URL_PATH), '/');
        if ($deep !== '' && str_ends_with($abspath, '/' . $deep)) {
            $roots[] = substr($abspath, 0, -strlen('/' . $deep));
        }
        return array_values(array_unique(array_filter($roots, static fn (string $root): bool => $root !== '' && $root !== '/')));
    }

    private static function normal(string $path): string
    {
        $real = @realpath($path);
        return rtrim($real !== false ? $real : $path, '/');
    }

    private static function of_blog(string $dir): string
    {
        return is_multisite() ? $dir . '/site-' . get_current_blog_id() : $dir;
    }

    private static function constant(string $name): string
    {
        return defined($name) && is_string(constant($name)) ? constant($name) : '';
    }
}
