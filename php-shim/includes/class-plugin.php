<?php
/**
 * Adds every hook of the plugin in one place, so that a reader sees at a glance when it acts; it acts in none of them itself.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The list of hooks. */
final class Plugin
{
    /** Registers what is needed to receive and deliver first, what is pleasant second. */
    public static function register(): void
    {
        add_action('et_pb_contact_form_submit', [Divi::class, 'et_pb_contact_form_submit'], 1, 3);
        add_filter('rest_pre_dispatch', [Webhook::class, 'rest_pre_dispatch'], 1, 3);
        add_action('rest_api_init', [Webhook::class, 'rest_api_init']);
        add_action('rest_api_init', [Rest::class, 'rest_api_init']);
        add_action('rest_api_init', [Health::class, 'rest_api_init']);
        add_filter('rest_pre_dispatch', [Health\Probe::class, 'rest_pre_dispatch'], 0, 3);
        add_action('halt_tracker_process_queue', [Relay::class, 'halt_tracker_process_queue']);
        add_action('halt_tracker_continue', [Relay::class, 'halt_tracker_continue']);
        add_action('halt_tracker_process_queue', [Health\Sapis::class, 'note'], 1);

        add_filter('user_has_cap', [Capabilities::class, 'user_has_cap']);
        add_action('init', [self::class, 'init']);
        Earlier::register();
        add_action('wp_initialize_site', [Lifecycle::class, 'wp_initialize_site'], 100);
        add_action('wp_uninitialize_site', [Lifecycle::class, 'wp_uninitialize_site'], 5);

        add_filter('site_status_tests', [Health::class, 'site_status_tests']);
        add_filter('debug_information', [Health::class, 'debug_information']);
        add_filter('wp_privacy_personal_data_exporters', [Privacy::class, 'exporters']);
        add_filter('wp_privacy_personal_data_erasers', [Privacy::class, 'erasers']);

        if (is_admin()) {
            add_action('admin_init', [Lifecycle::class, 'admin_init']);
            add_action('admin_init', [Privacy::class, 'admin_init']);
            add_action('admin_notices', [Notices::class, 'admin_notices']);
            add_action('admin_post_halt_tracker_dismiss', [Notices::class, 'dismiss']);
            add_action('admin_post_halt_tracker_release_earlier', [Admin\EarlierCard::class, 'release']);
            Admin\Menu::register();
        }
        if (defined('WP_CLI') && WP_CLI) {
            Cli\Commands::register();
        }
    }

    /** Loads translations and declares the settings' types; the settings themselves are saved tab by tab. */
    public static function init(): void
    {
        load_plugin_textdomain('halt-tracker', false, dirname(plugin_basename(PLUGIN_FILE)) . '/languages');
        if (is_admin()) {
            Options::register();
        }
    }
}
