<?php
/**
 * Puts the three pages into the menu and connects their forms with the handlers; it renders nothing itself.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;

use const Halt\Tracker\WordPress\PLUGIN_FILE;
use const Halt\Tracker\WordPress\VERSION;

defined('ABSPATH') || exit;

/** Menu, style sheet, handlers. */
final class Menu
{
    public const DASHBOARD = 'halt-tracker';
    public const SYNC_LOG  = 'halt-tracker-sync-log';
    public const SETTINGS  = 'halt-tracker-settings';

    /** Adds the hooks. */
    public static function register(): void
    {
        add_filter('set_screen_option_halt_tracker_per_page', static fn ($keep, $option, $value): int => min(100, max(1, (int) $value)), 10, 3);
        add_filter('default_hidden_columns', [SyncLog::class, 'default_hidden_columns'], 10, 2);
        add_action('admin_menu', [self::class, 'admin_menu']);
        add_action('admin_enqueue_scripts', [self::class, 'admin_enqueue_scripts']);
        foreach (Actions::HANDLERS as $name) {
            add_action('admin_post_halt_tracker_' . $name, [Actions::class, $name]);
        }
        foreach (GuideActions::HANDLERS as $name) {
            add_action('admin_post_halt_tracker_' . $name, [GuideActions::class, $name]);
        }
        add_action('admin_post_halt_tracker_lost', [Outside::class, 'dealt_with']);
        add_action('admin_post_halt_tracker_discard_unopened', [Outside::class, 'discard_unopened']);
        foreach (SettingsPage::TABS as $tab) {
            add_action('admin_post_halt_tracker_save_' . $tab, static function () use ($tab): void {
                Save::tab($tab);
            });
        }
    }

    /** The pages. */
    public static function admin_menu(): void
    {
        add_menu_page(__('Halt Tracker', 'halt-tracker'), __('Halt Tracker', 'halt-tracker'), Capabilities::VIEW, self::DASHBOARD, [Dashboard::class, 'render'], 'dashicons-migrate', 58);
        add_submenu_page(self::DASHBOARD, __('Halt Tracker Dashboard', 'halt-tracker'), __('Dashboard', 'halt-tracker'), Capabilities::VIEW, self::DASHBOARD, [Dashboard::class, 'render']);
        $log = add_submenu_page(self::DASHBOARD, __('Halt Tracker Sync Log', 'halt-tracker'), __('Sync Log', 'halt-tracker'), Capabilities::VIEW, self::SYNC_LOG, [SyncLog::class, 'render']);
        add_submenu_page(self::DASHBOARD, __('Halt Tracker Settings', 'halt-tracker'), __('Settings', 'halt-tracker'), Capabilities::MANAGE, self::SETTINGS, [SettingsPage::class, 'render']);
        if ($log) {
            add_action('load-' . $log, [SyncLog::class, 'load']);
        }
    }

    /** One small style sheet and one small script, on our pages only. @param mixed $hook */
    public static function admin_enqueue_scripts($hook): void
    {
        if (is_string($hook) && str_contains($hook, 'halt-tracker')) {
            wp_enqueue_style('halt-tracker-admin', plugins_url('assets/admin.css', PLUGIN_FILE), [], VERSION);
            wp_enqueue_script('halt-tracker-admin', plugins_url('assets/admin.js', PLUGIN_FILE), ['wp-a11y'], VERSION, ['in_footer' => true, 'strategy' => 'defer']);
        }
    }

    /** The address of a page. @param array<string,string> $more */
    public static function url(string $page, array $more = []): string
    {
        return add_query_arg(array_map('rawurlencode', $more), admin_url('admin.php?page=' . $page));
    }
}
