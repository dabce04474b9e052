<?php
/**
 * Plugin Name:       RoleCall - powered by Halt
 * Description:       Brings Divi form submissions and signed webhook requests into Tracker RMS, and loses none on the way.
 * Version:           0.1.0
 * Requires at least: 6.4
 * Requires PHP:      8.1
 * Author:            Halt
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       halt-tracker
 * Domain Path:       /languages
 * Update URI:        false
 *
 * This file exists because WordPress needs one place to load the plugin from: it registers hooks and does nothing else.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

// Before any guard: an event whose schedule is unknown is dropped by WordPress and never comes back.
add_filter('cron_schedules', static function ($schedules) {
    $schedules = is_array($schedules) ? $schedules : [];
    $schedules['halt_tracker_five_minutes'] = [
        'interval' => 300,
        // Translated only once translations may be loaded; WordPress reads schedules earlier than that too.
        'display'  => did_action('init') ? __('Every five minutes (Halt Tracker)', 'halt-tracker') : 'Every five minutes (Halt Tracker)',
    ];
    return $schedules;
});

// A second copy of the plugin, in another folder, must not declare the same classes again.
if (class_exists(Plugin::class, false)) {
    return;
}

const VERSION     = '0.1.0';
const PLUGIN_FILE = __FILE__;

spl_autoload_register(static function (string $class): void {
    if (!str_starts_with($class, __NAMESPACE__ . '\\')) {
        return;
    }
    $parts = explode('\\', substr($class, strlen(__NAMESPACE__) + 1));
    $name  = strtolower((string) preg_replace('/(?<!^)[A-Z]/', '-$0', (string) array_pop($parts)));
    $path  = __DIR__ . '/includes/' . ($parts ? strtolower(implode('/', $parts)) . '/' : '') . 'class-' . $name . '.php';
    if (is_file($path)) {
        require $path;
    }
});

register_activation_hook(__FILE__, [Lifecycle::class, 'activate']);
register_deactivation_hook(__FILE__, [Lifecycle::class, 'deactivate']);
Plugin::register();
