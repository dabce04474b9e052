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

    /** The data directory of this site; chosen, made and remembered when there is none yet. */
    public static function data_dir(): string
    {
        $saved = self::known_data_dir();
        // A folder that had a store is never made again: the engine has to see that it is gone.
        $may_make = !@is_dir($saved) && !Engine::has_store();
        if ($may_make) {
            Ground::refuse_root();
        }
        if (self::constant('HALT_TRACKER_DATA_DIR') !== '') {
            return $saved;
        }
        if ($saved === '' || $may_make) {
            $saved = self::settle('halt_tracker_data_dir', $saved, static fn (string $base): string => self::of_blog($base . '/halt-tracker-' . bin2hex(random_bytes(16))));
        }
        if ($may_make) {
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
        if ($saved === '' || (!@is_dir(dirname($saved)) && (string) get_option('halt_tracker_public_key', '') === '')) {
            Ground::refuse_root();
            // A store knows its key: that place is not given up.
            $settled = $saved !== '' && Engine::has_store();
            $saved   = $settled ? $saved : self::settle('halt_tracker_key_file', $saved, static fn (string $base): string => $base . '/halt-tracker-key-' . bin2hex(random_bytes(16)) . '/key.php');
            self::make(dirname($saved));
            // The engine marks the store's folder; this one is marked here, so that uninstalling knows it as ours.
            @file_put_contents(dirname($saved) . '/' . self::MARKER, Site::mark());
        }
        return $saved;
    }

    /** @return list<string> The folders in which a store of this site may lie, because it was or would be put there. */
    public static function likely_folders(): array
    {
        $known = (string) preg_replace('#/site-\d+$#', '', self::known_data_dir());
        $all   = [$known === '' ? '' : dirname($known), Ground::is_there() ? Ground::best() : '', Ground::normal(WP_CONTENT_DIR), Ground::uploads()];
        return array_values(array_unique(array_filter($all, static fn (string $dir): bool => $dir !== '')));
    }

    /** Whether the first form will find a place for store and key. Looks only. */
    public static function has_room(): bool
    {
        $data = self::known_data_dir();
        $key  = self::known_key_file();
        $good = static fn (string $dir, string $constant): bool => self::constant($constant) !== '' ? self::can_be_made($dir) : ($dir !== '' && @is_dir($dir)) || Ground::is_there();
        return Engine::has_store() || ($good($data, 'HALT_TRACKER_DATA_DIR') && $good($key === '' ? '' : dirname($key), 'HALT_TRACKER_KEY_FILE'));
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
        if (Ground::is_below_web_root($dir)) {
            @file_put_contents($dir . '/index.php', "<?php\n// Nothing to see here.\n");
            @file_put_contents($dir . '/.htaccess', "<IfModule mod_authz_core.c>\nRequire all denied\n</IfModule>\n<IfModule !mod_authz_core.c>\nDeny from all\n</IfModule>\n");
        }
        return true;
    }

    /**
     * Where it is put: chosen, and chosen again when what was chosen has never been made and cannot be any more. The caller knows
     * that nothing lies there; of two requests at once, one wins.
     *
     * @param \Closure(string):string $name The path in a folder.
     * @throws EngineException When there is no place.
     */
    private static function settle(string $option, string $saved, \Closure $name): string
    {
        if ($saved === '') {
            return Site::once($option, $name(Ground::best()));
        }
        return self::can_be_made(dirname($saved)) ? $saved : Site::swap($option, $saved, $name(Ground::best()));
    }

    /** Whether a folder is there and writable, or could be made. */
    private static function can_be_made(string $dir): bool
    {
        while (!@file_exists($dir) && dirname($dir) !== $dir) {
            $dir = dirname($dir);
        }
        return @is_dir($dir) && @is_writable($dir);
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
