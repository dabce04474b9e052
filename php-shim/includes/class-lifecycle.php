<?php
/**
 * Does what has to be done once: at activation, at deactivation, and after an update or a lost cron event.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Begin and end of the plugin's life on a site; it works in every state of the engine. */
final class Lifecycle
{
    /** Makes the table, the schedule and the name of this installation. */
    public static function activate(): void
    {
        Capture::create_table();
        Relay::schedule();
        try {
            Site::install_id();
        } catch (EngineException $fault) {
            // It is made at the first call instead.
            unset($fault);
        }
        update_option('halt_tracker_version', VERSION, true);
    }

    /** Stops the schedule; data stays. */
    public static function deactivate(): void
    {
        wp_clear_scheduled_hook(Relay::HOOK);
        wp_clear_scheduled_hook(Relay::CONTINUE);
    }

    /** Repairs what is missing: sites of a network are never activated one by one, and cron events get lost. */
    public static function admin_init(): void
    {
        Relay::schedule();
        if (get_option('halt_tracker_version') !== VERSION) {
            self::activate();
        }
    }

    /** A site of a network goes: its data is treated as at uninstalling. @param mixed $site */
    public static function wp_uninitialize_site($site): void
    {
        if (!$site instanceof \WP_Site) {
            return;
        }
        switch_to_blog((int) $site->blog_id);
        Cleaner::site();
        restore_current_blog();
    }
}
