<?php
/**
 * Says how to get the engine running on this very server: what was found, the exact file and line, and what to write to a host.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Health\Binary;
use Halt\Tracker\WordPress\Health\Sapis;

defined('ABSPATH') || exit;

/** The install recipe. It fetches and runs nothing. */
final class Recipe
{
    /** Prints it. */
    public static function render(): void
    {
        $file = self::library();
        $ini  = self::ini_file();
        $line = 'extension=' . $file;
        echo '<div class="halt-card"><h2>' . esc_html__('How to install the engine on this server', 'halt-tracker') . '</h2><ol>';
        self::step(sprintf(/* translators: %s: version such as "8.2" */ __('Build halt_tracker.so for PHP %s (make dist, on a machine with the source of this plugin) and put it here:', 'halt-tracker'), PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION), $file);
        self::step(
            self::scan_dir() !== ''
                ? sprintf(/* translators: %s: path of a file */ __('Create the file %s with this one line:', 'halt-tracker'), $ini)
                : sprintf(/* translators: %s: path of a file */ __('Add this line to %s:', 'halt-tracker'), $ini),
            $line
        );
        self::step(__('Restart PHP, for example:', 'halt-tracker'), self::restart());
        self::step(__('Check:', 'halt-tracker'), 'php -m | grep halt_tracker');
        echo '</ol><p><a class="button button-primary" href="' . esc_url(Menu::url(Menu::DASHBOARD)) . '">' . esc_html__('Check again', 'halt-tracker') . '</a></p></div>';
        self::others($line);
        self::found();
        self::letter($line, $ini);
    }

    private static function step(string $text, string $code): void
    {
        printf('<li><p>%s</p><pre class="halt-code-block" tabindex="0"><code>%s</code></pre></li>', esc_html($text), esc_html($code));
    }

    /** Ways on hosts with a control panel, for people who know theirs. Nobody has tried them for this plugin, and they say so. */
    private static function others(string $line): void
    {
        $ways = [
            'cPanel'      => __('Put the file where cPanel keeps extensions of this PHP version (PHP Selector or EasyApache), and add the line in the MultiPHP INI Editor.', 'halt-tracker'),
            'Plesk'       => __('Add the line under PHP Settings, Additional configuration directives, of the domain; the file has to be put in place by the owner of the server.', 'halt-tracker'),
            'DirectAdmin' => __('Add the line to the file php.ini.custom of the PHP version, through CustomBuild.', 'halt-tracker'),
            'Docker'      => __('Copy file and ini file into the image of the site, and start the container anew.', 'halt-tracker'),
        ];
        $panel = self::panel();
        echo '<details class="halt-details"><summary>' . esc_html__('Other ways (unverified: nobody has tried them for this plugin)', 'halt-tracker') . '</summary><dl class="halt-three">';
        foreach ($ways as $name => $text) {
            printf('<div><dt>%s</dt><dd>%s</dd></div>', esc_html($name . ($name === $panel ? ' ' . __('(found here)', 'halt-tracker') : '')), esc_html($text));
        }
        echo '</dl><pre class="halt-code-block" tabindex="0"><code>' . esc_html($line) . '</code></pre></details>';
    }

    private static function found(): void
    {
        $api  = (string) (Engine::version()['api'] ?? '');
        $rows = [
            __('State of the engine', 'halt-tracker')   => Engine::state() . ($api !== '' ? ' (' . $api . ')' : ''),
            __('PHP version', 'halt-tracker')           => PHP_VERSION,
            __('PHP Extension Build', 'halt-tracker') => Binary::build_of_php(),
            __('Thread safety', 'halt-tracker')         => PHP_ZTS ? __('yes (ZTS)', 'halt-tracker') : __('no (NTS)', 'halt-tracker'),
            __('Debug build', 'halt-tracker')           => PHP_DEBUG ? __('yes', 'halt-tracker') : __('no', 'halt-tracker'),
            __('Architecture', 'halt-tracker')          => self::ask('php_uname', 'm'),
            __('C library', 'halt-tracker')             => self::c_library(),
            __('Extension file', 'halt-tracker')        => self::extension_file(),
            __('The engine in each PHP', 'halt-tracker') => implode(', ', array_map(static fn (string $name, array $one): string => $name . ': ' . $one['state'], array_keys(Sapis::seen()), Sapis::seen())),
            __('How PHP runs', 'halt-tracker')          => PHP_SAPI,
            __('php.ini', 'halt-tracker')               => self::ask('php_ini_loaded_file'),
            __('Folder of further ini files', 'halt-tracker') => self::scan_dir(),
            __('Folder of extensions', 'halt-tracker')  => self::ask('ini_get', 'extension_dir'),
            __('Control panel (a guess)', 'halt-tracker') => self::panel(),
        ];
        echo '<h2>' . esc_html__('What was found', 'halt-tracker') . '</h2><table class="widefat striped halt-facts"><tbody>';
        foreach ($rows as $label => $value) {
            printf('<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html($label), esc_html($value !== '' ? $value : '–'));
        }
        echo '</tbody></table>';
    }

    private static function letter(string $line, string $ini): void
    {
        /* translators: 1: PHP version, 2: NTS or ZTS, 3: architecture, 4: ini line, 5: path of the ini file */
        $text = sprintf(__("Hello,\n\nplease enable a PHP extension for our site. It is a single file, halt_tracker.so, for PHP %1\$s (%2\$s, %3\$s).\nThe line in the PHP configuration is\n\n%4\$s\n\nfor example in %5\$s. After that PHP has to be restarted.\n\nThank you!", 'halt-tracker'), PHP_VERSION, PHP_ZTS ? 'ZTS' : 'NTS', self::ask('php_uname', 'm') ?: PHP_OS, $line, $ini);
        echo '<details class="halt-details"><summary>' . esc_html__('Write to my host', 'halt-tracker') . '</summary>';
        echo '<label for="halt-letter" class="screen-reader-text">' . esc_html__('Text for your host', 'halt-tracker') . '</label>';
        echo '<textarea id="halt-letter" class="large-text" rows="10" readonly>' . esc_textarea($text) . '</textarea></details>';
    }

    private static function library(): string
    {
        $dir = rtrim(self::ask('ini_get', 'extension_dir'), '/');
        return (str_starts_with($dir, '/') ? $dir : rtrim(PHP_EXTENSION_DIR, '/')) . '/halt_tracker.so';
    }

    /** The folder that this PHP scans: the one of the files that it has read, else the one that it was built with. */
    private static function scan_dir(): string
    {
        $files = array_filter(array_map('trim', explode(',', self::ask('php_ini_scanned_files'))));
        if ($files !== []) {
            return dirname((string) reset($files));
        }
        return defined('PHP_CONFIG_FILE_SCAN_DIR') ? rtrim((string) PHP_CONFIG_FILE_SCAN_DIR, '/') : '';
    }

    private static function ini_file(): string
    {
        $dir = self::scan_dir();
        // The name that make install writes: under two names PHP would load it twice, and complain.
        return $dir !== '' ? $dir . '/30-halt_tracker.ini' : (self::ask('php_ini_loaded_file') !== '' ? self::ask('php_ini_loaded_file') : 'php.ini');
    }

    private static function restart(): string
    {
        $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
        return match (true) {
            PHP_SAPI === 'apache2handler' => 'sudo systemctl restart apache2',
            PHP_SAPI === 'litespeed'      => 'sudo systemctl restart lsws',
            default                       => 'sudo systemctl restart php' . $version . '-fpm',
        };
    }

    /** A file that lies there without being loaded, and the PHP that it was built for. */
    private static function extension_file(): string
    {
        $file = Engine::version() !== [] ? Engine::library() : Binary::file();
        return $file === '' ? __('none found', 'halt-tracker') : $file . ' (' . (Binary::build_of($file) ?: __('no extension of PHP', 'halt-tracker')) . ')';
    }

    /** What PHP says of itself; hosts switch some of these functions off. */
    private static function ask(string $function, string ...$arguments): string
    {
        return function_exists($function) ? (string) $function(...$arguments) : '';
    }

    private static function c_library(): string
    {
        foreach (['/lib/ld-musl-x86_64.so.1', '/lib/ld-musl-aarch64.so.1'] as $file) {
            if (@file_exists($file)) {
                return 'musl';
            }
        }
        return PHP_OS_FAMILY === 'Linux' ? 'glibc' : PHP_OS_FAMILY;
    }

    private static function panel(): string
    {
        foreach (['/usr/local/cpanel' => 'cPanel', '/usr/local/psa' => 'Plesk', '/usr/local/directadmin' => 'DirectAdmin', '/usr/local/CyberCP' => 'CyberPanel'] as $dir => $name) {
            if (@is_dir($dir)) {
                return $name;
            }
        }
        return '';
    }
}
