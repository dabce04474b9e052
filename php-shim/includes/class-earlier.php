<?php
/**
 * Keeps the earlier plugin, which themes sometimes bundle, from taking the same form a second time.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The class `Halt_Tracker_Plugin`, wherever it was loaded from. */
final class Earlier
{
    private const CLASS_NAME = 'Halt_Tracker_Plugin';

    /** Hooks that both use. Its settings would show secrets on a page of WordPress' own, its schedule has our name. */
    private const HOOKS = [
        'et_pb_contact_form_submit', 'rest_api_init', 'halt_tracker_process_queue', 'admin_menu', 'admin_init', 'cron_schedules',
        'admin_post_halt_tracker_manual_sync', 'admin_post_halt_tracker_clear_lock',
    ];

    /** Moments at which it is looked for: when the theme is there, when everything is, and right before each hook that it may still have joined. */
    public static function register(): void
    {
        add_action('after_setup_theme', [self::class, 'init'], PHP_INT_MAX);
        add_action('init', [self::class, 'init'], 100);
        foreach (['et_pb_contact_form_submit', 'rest_api_init', 'halt_tracker_process_queue', 'admin_menu', 'admin_init'] as $hook) {
            add_action($hook, [self::class, 'init'], PHP_INT_MIN, 0);
        }
    }

    /** Removes its callbacks from the hooks that both use; its job sync is left alone. */
    public static function init(): void
    {
        global $wp_filter;
        if (!class_exists(self::CLASS_NAME, false)) {
            return;
        }
        foreach (self::HOOKS as $hook) {
            foreach (isset($wp_filter[$hook]) ? $wp_filter[$hook]->callbacks : [] as $priority => $callbacks) {
                foreach ($callbacks as $callback) {
                    $owner = self::owner($callback['function'] ?? null);
                    if ($owner !== null && is_a($owner, self::CLASS_NAME, true)) {
                        remove_filter($hook, $callback['function'], $priority);
                    }
                }
            }
        }
    }

    /**
     * The object or class that a callback belongs to, however it is written.
     *
     * @param mixed $function
     * @return object|string|null
     */
    private static function owner($function)
    {
        if ($function instanceof \Closure) {
            $closure = new \ReflectionFunction($function);
            return $closure->getClosureThis() ?? $closure->getClosureScopeClass()?->getName();
        }
        if (is_array($function)) {
            $owner = $function[0] ?? null;
            return is_object($owner) || is_string($owner) ? $owner : null;
        }
        if (is_string($function)) {
            return strstr($function, '::', true) ?: null;
        }
        return is_object($function) ? $function : null;
    }

    /** The file that it was loaded from, or an empty text. */
    public static function loaded_from(): string
    {
        return class_exists(self::CLASS_NAME, false) ? (string) (new \ReflectionClass(self::CLASS_NAME))->getFileName() : '';
    }
}
