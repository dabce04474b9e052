<?php
/**
 * Writes down who looked at a submission in full, changed credentials, dealt with a loss or gave up forms that do not open; values never stand in the line.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** One line in PHP's error log per event. */
final class Audit
{
    /** A person saw a submission's data. */
    public static function viewed(string $where, string $id): void
    {
        self::line('viewed', $where . ' submission=' . preg_replace('/[^0-9a-fA-F-]/', '', $id));
    }

    /** Credentials were changed: logged, and mailed to the site's administrator. */
    public static function credentials_changed(string ...$names): void
    {
        self::credentials('changed', $names, __('Somebody changed the credentials of the Halt Tracker plugin. If it was not you or a colleague, look at the Settings page at once.', 'halt-tracker'));
    }

    /** The plugin found credentials in the site's options and moved them: whoever can write an option can change credentials, so it is told too. */
    public static function credentials_moved(string ...$names): void
    {
        self::credentials('moved', $names, __('The Halt Tracker plugin found credentials in the site’s options and moved them into its own store, where they are sealed. It does so once after an upgrade from the earlier plugin. If you did not upgrade, and neither you nor a colleague put them there, look at the Settings page at once.', 'halt-tracker'));
    }

    /** @param array<string> $names */
    private static function credentials(string $event, array $names, string $text): void
    {
        foreach ($names as $name) {
            self::line($event, (string) preg_replace('/[^a-z_]/', '', $name));
        }
        wp_mail(
            (string) get_option('admin_email'),
            /* translators: %s: name of the site */
            sprintf(__('[%s] Halt Tracker credentials were changed', 'halt-tracker'), wp_specialchars_decode(get_option('blogname'), ENT_QUOTES)),
            $text . "\n\n" . admin_url('admin.php?page=halt-tracker-settings')
        );
    }

    /** Somebody said that a loss was dealt with: nothing shows it any more, this line does. */
    public static function acknowledged(string $code, int $count): void
    {
        self::line('acknowledged', $code . ' count=' . $count);
    }

    /** Somebody gave up kept forms that do not open. */
    public static function discarded(int $count): void
    {
        self::line('discarded', 'kept forms count=' . $count);
    }

    /** A site let go of a store: where the one lies that no page shows any more. */
    public static function store_left(string $why, string $folder, string $key, string $id): void
    {
        self::line('store-left', $why . ' folder=' . $folder . ' key=' . $key . ' id=' . $id);
    }

    private static function line(string $event, string $what): void
    {
        // phpcs:ignore WordPress.PHP.DevelopmentFunctions
        error_log('halt-tracker ' . $event . ' ' . $what . ' user=' . get_current_user_id());
    }
}
