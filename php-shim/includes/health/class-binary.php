<?php
/**
 * Finds the extension's file where PHP did not load it, and reads which PHP it was built for; it never loads anything.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

defined('ABSPATH') || exit;

/** PHP refuses a module whose build id differs from its own, and says so in a log that few people see. */
final class Binary
{
    private const ID = '/API(\d{8}),(NTS|TS)(,debug)?/';

    /** Read at most this much; the file has a few megabytes. */
    private const MOST = 64 * 1024 * 1024;

    /** The file that the configuration names, else one that lies where extensions lie. */
    public static function file(): string
    {
        $dir   = rtrim((string) (function_exists('ini_get') ? ini_get('extension_dir') : ''), '/');
        $found = [];
        foreach (self::ini_files() as $ini) {
            if (preg_match_all('/^\s*extension\s*=\s*"?([^";\s]*halt_tracker[^";\s]*)"?/mi', (string) @file_get_contents($ini), $lines)) {
                array_push($found, ...$lines[1]);
            }
        }
        foreach ([...$found, 'halt_tracker', 'libhalt_tracker'] as $name) {
            foreach (['', '.so'] as $end) {
                $path = (str_starts_with($name, '/') ? $name : $dir . '/' . $name) . $end;
                if (@is_file($path) && @is_readable($path)) {
                    return $path;
                }
            }
        }
        return '';
    }

    /** The build id of a file, such as `API20220829,NTS`; empty when none is found. */
    public static function build_of(string $file): string
    {
        return preg_match(self::ID, (string) @file_get_contents($file, false, null, 0, self::MOST), $found) ? $found[0] : '';
    }

    /** The build id of this PHP. */
    public static function build_of_php(): string
    {
        if (!function_exists('phpinfo')) {
            return '';
        }
        ob_start();
        phpinfo(INFO_GENERAL);
        $text = wp_strip_all_tags((string) ob_get_clean());
        return preg_match('/PHP Extension Build\s*(?:=>)?\s*(API\d{8},\S+)/', $text, $found) ? $found[1] : '';
    }

    /** @return list<string> */
    private static function ini_files(): array
    {
        $scanned = function_exists('php_ini_scanned_files') ? (string) php_ini_scanned_files() : '';
        $loaded  = function_exists('php_ini_loaded_file') ? (string) php_ini_loaded_file() : '';
        return array_values(array_filter(array_map('trim', [...explode(',', $scanned), $loaded])));
    }
}
