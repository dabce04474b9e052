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
    /** Sites of a network that are treated at once; the others repair themselves at the first form or the first admin page. */
    private const SITES = 100;

    /** On this site, or on every site of the network. @param mixed $network */
    public static function activate($network = false): void
    {
        self::on_sites((bool) $network, [self::class, 'begin']);
    }

    /** Stops the schedule; data stays. @param mixed $network */
    public static function deactivate($network = false): void
    {
        self::on_sites((bool) $network, static function (): void {
            wp_clear_scheduled_hook(Relay::HOOK);
            wp_clear_scheduled_hook(Relay::CONTINUE);
        });
    }

    /** Makes the table, the schedule and the name of this installation. */
    public static function begin(): void
    {
        Capture::create_table();
        Relay::schedule();
        try {
            Site::install_id();
        } catch (EngineException $fault) {
            // It is made at the first call instead.
            unset($fault);
        }
        self::load_nothing();
        update_option('halt_tracker_version', VERSION, true);
    }

    /** Options that the earlier plugin left are not read with every page. */
    private static function load_nothing(): void
    {
        global $wpdb;
        if (!function_exists('wp_set_options_autoload')) {
            return;
        }
        // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- once, at activation.
        $names = (array) $wpdb->get_col("SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE 'halt\\_tracker\\_%' AND option_name <> 'halt_tracker_version' AND autoload IN ('yes', 'on', 'auto', 'auto-on')");
        if ($names !== []) {
            wp_set_options_autoload($names, false);
        }
    }

    private static function on_sites(bool $network, callable $work): void
    {
        if (!$network || !is_multisite()) {
            $work();
            return;
        }
        foreach (get_sites(['fields' => 'ids', 'number' => self::SITES]) as $id) {
            switch_to_blog((int) $id);
            try {
                $work();
            } finally {
                restore_current_blog();
            }
        }
    }

    /** Repairs what is missing: sites of a network are never activated one by one, and cron events get lost. */
    public static function admin_init(): void
    {
        Relay::schedule();
        if (get_option('halt_tracker_version') !== VERSION) {
            self::activate();
        }
    }

    /** A site joins a network in which the plugin is active everywhere. @param mixed $site */
    public static function wp_initialize_site($site): void
    {
        $everywhere = get_site_option('active_sitewide_plugins', []);
        if (!$site instanceof \WP_Site || !is_array($everywhere) || !isset($everywhere[plugin_basename(PLUGIN_FILE)])) {
            return;
        }
        switch_to_blog((int) $site->blog_id);
        try {
            self::begin();
        } finally {
            restore_current_blog();
        }
    }

    /** A site of a network goes: its data is treated as at uninstalling. @param mixed $site */
    public static function wp_uninitialize_site($site): void
    {
        if (!$site instanceof \WP_Site) {
            return;
        }
        switch_to_blog((int) $site->blog_id);
        try {
            Cleaner::site() || Cleaner::say_what_stays();
        } catch (\Throwable $fault) {
            // The site goes all the same; what is ours stays where it is.
            Cleaner::say_what_stays();
        } finally {
            restore_current_blog();
        }
    }
}
