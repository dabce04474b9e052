<?php
/**
 * Runs when the plugin is deleted: it keeps everything unless the owner asked for the opposite, and needs no engine for either.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

defined('ABSPATH') || exit;
defined('WP_UNINSTALL_PLUGIN') || exit;

foreach (['engine-exception', 'engine', 'site', 'options', 'places', 'capture', 'earlier-table', 'cleaner'] as $halt_tracker_part) {
    require_once __DIR__ . '/includes/class-' . $halt_tracker_part . '.php';
}

if (is_multisite()) {
    foreach (get_sites(['fields' => 'ids', 'number' => 0]) as $halt_tracker_blog) {
        switch_to_blog((int) $halt_tracker_blog);
        \Halt\Tracker\WordPress\Cleaner::site();
        restore_current_blog();
    }
} else {
    \Halt\Tracker\WordPress\Cleaner::site();
}
