<?php
/**
 * Knows the ground on which folders can be put: what a web server delivers, what a deployment throws away, where this process may write.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Looks only; makes and remembers nothing. */
final class Ground
{
    /** Names that hosts give to folders which a web server delivers. */
    private const ROOT_NAMES = ['public_html', 'htdocs', 'httpdocs', 'httpsdocs', 'html', 'public', 'web', 'www', 'wwwroot', 'webroot', 'webspace'];

    /**
     * The best folder for store and key: writable and outside every web root, else the content folder, else the uploads. One
     * that goes with a deployment comes last.
     *
     * @throws EngineException When this process may write in none of them.
     */
    public static function best(): string
    {
        $site      = self::normal(ABSPATH);
        $home      = self::home_of_release($site);
        $candidate = $home !== '' ? $home : dirname($site);
        for ($up = 0; $up < 4 && $candidate !== '/' && $candidate !== '.'; $up++) {
            if (self::is_private($candidate)) {
                return $candidate;
            }
            $candidate = dirname($candidate);
        }
        $inside  = array_values(array_filter([self::normal(WP_CONTENT_DIR), self::uploads()], static fn (string $dir): bool => $dir !== '' && @is_dir($dir) && @is_writable($dir)));
        $lasting = array_values(array_filter($inside, static fn (string $dir): bool => self::home_of_release($dir) === ''));
        $found   = $lasting[0] ?? $inside[0] ?? '';
        if ($found === '') {
            throw new EngineException('HT-1101', 'neither a folder above the site, nor the content folder, nor the uploads can be written');
        }
        return $found;
    }

    /**
     * From a terminal root makes no store for a site that is somebody else's: the web server could use neither folder nor key.
     *
     * @throws EngineException `HT-1103` with the command that helps.
     */
    public static function refuse_root(): void
    {
        // A web server that is root itself, as in a container, has nobody to lock out.
        $user = function_exists('posix_geteuid') ? posix_geteuid() : @fileowner('/proc/self');
        foreach (PHP_SAPI === 'cli' && $user === 0 ? array_filter([self::uploads(), self::normal(WP_CONTENT_DIR), self::normal(ABSPATH)]) : [] as $dir) {
            $owner = (int) @fileowner($dir);
            if ($owner !== 0) {
                $name = function_exists('posix_getpwuid') ? (string) (posix_getpwuid($owner)['name'] ?? '') : '';
                /* translators: %s: name of a user of the server */
                throw new EngineException('HT-1103', sprintf(__('This command runs as root and the site belongs to another user. Run it as that user: sudo -u %s wp halt-tracker …', 'halt-tracker'), $name !== '' ? $name : "'#" . $owner . "'"));
            }
        }
    }

    /** Whether there is any such folder. */
    public static function is_there(): bool
    {
        try {
            return self::best() !== '';
        } catch (EngineException) {
            return false;
        }
    }

    /** Whether a path lies where a web server could deliver it. */
    public static function is_below_web_root(string $path): bool
    {
        return self::is_in_a_known_root($path) || self::is_named_like_a_root($path);
    }

    /**
     * The folder that keeps a site's releases, when a path lies in one of them, else an empty text. Each deployment makes a new
     * release, and clean-ups delete the old ones with all that is in them.
     */
    public static function home_of_release(string $path): string
    {
        $home = '';
        for ($dir = self::normal($path); dirname($dir) !== $dir; $dir = dirname($dir)) {
            $above = dirname($dir);
            if (strtolower(basename($above)) === 'releases') {
                $home = dirname($above);
            }
            // Whatever they are called: the link "current" names the one in use.
            foreach ([$above, dirname($above)] as $beside) {
                if (@is_link($beside . '/current') && @realpath($beside . '/current') === $dir) {
                    $home = $beside;
                }
            }
        }
        return $home;
    }

    /** The folder of all uploads, which every way of deploying keeps; empty where they do not lie on a disk. */
    public static function uploads(): string
    {
        try {
            $dir = (string) (wp_upload_dir(null, false)['basedir'] ?? '');
        } catch (\Throwable) {
            // Other code may filter it.
            return '';
        }
        // Each site of a network has its own in it, made with its first upload.
        $dir = (string) preg_replace('#/sites/\d+$#', '', $dir);
        return str_starts_with($dir, '/') ? self::normal($dir) : '';
    }

    /** A path without links, as far as it exists. */
    public static function normal(string $path): string
    {
        $real = @realpath($path);
        return rtrim($real !== false ? $real : $path, '/');
    }

    private static function is_private(string $dir): bool
    {
        if (in_array($dir, ['/tmp', '/var/tmp', '/dev/shm', '/home', '/var', '/usr', '/etc', '/srv', '/opt'], true) || !@is_dir($dir) || !@is_writable($dir)) {
            return false;
        }
        $looks_like_a_root = @file_exists($dir . '/index.php') || @file_exists($dir . '/index.html') || @file_exists($dir . '/.htaccess');
        return !$looks_like_a_root && !self::is_below_web_root($dir);
    }

    private static function is_in_a_known_root(string $path): bool
    {
        foreach (self::web_roots() as $root) {
            if ($path === $root || str_starts_with($path, $root . '/')) {
                return true;
            }
        }
        return false;
    }

    /** A folder of such a name, and all below it, is suspect. */
    private static function is_named_like_a_root(string $path): bool
    {
        // "/var/www" and "/srv/www" are the usual homes of sites, not themselves sites; nor is a folder there that keeps
        // releases, because one of these is delivered in its place.
        if (preg_match('#^(/(?:var|srv)/www)(?:(/[^/]+)(/.*)?)?$#D', $path, $part)) {
            $name = $part[2] ?? '';
            if ($name === '' || str_starts_with($name, '/halt-tracker-') || (@is_dir($part[1] . $name . '/releases') && @is_link($part[1] . $name . '/current'))) {
                $path = $name . ($part[3] ?? '');
            }
        }
        return array_intersect(explode('/', strtolower($path)), self::ROOT_NAMES) !== [];
    }

    /** @return list<string> The folders that are known to be delivered, WordPress' own among them. */
    private static function web_roots(): array
    {
        $abspath = self::normal(ABSPATH);
        $roots   = [$abspath, self::normal(WP_CONTENT_DIR), self::uploads()];
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
}
