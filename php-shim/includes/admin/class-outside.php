<?php
/**
 * Shows what is not in the store: forms that wait in the site's own database, those that cannot be taken over, and those that were lost.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Capture;
use Halt\Tracker\WordPress\Health\Store;
use Halt\Tracker\WordPress\Lost;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Relay;

defined('ABSPATH') || exit;

/** Notices of the Dashboard, and the buttons for what is over. */
final class Outside
{
    /** Prints what applies. */
    public static function render(): void
    {
        if (!Places::has_room()) {
            [$title, $text] = Store::no_room();
            Page::notice('error', $title . '. ' . $text);
        }
        $stuck = Capture::stuck();
        // Some may have left the table since.
        $left  = min($stuck['left'], Capture::count());
        $count = Capture::count() - $left;
        if ($count > 0) {
            /* translators: %s: number of forms */
            Page::notice('warning', sprintf(_n('%s form was kept in the site’s own database. It is taken over by the next run.', '%s forms were kept in the site’s own database. They are taken over by the next run.', $count, 'halt-tracker'), number_format_i18n($count)));
        }
        if ($left > 0) {
            /* translators: %s: number of forms */
            Page::explain($stuck['code'], 'error', sprintf(_n('%s form was kept in the site’s own database, and no run could take it over. Each run tries again.', '%s forms were kept in the site’s own database, and no run could take them over. Each run tries again.', $left, 'halt-tracker'), number_format_i18n($left)));
            if (Capture::has_unopened() && current_user_can(Capabilities::MANAGE)) {
                Page::button('discard_unopened', __('Discard what does not open', 'halt-tracker'), [], 'button halt-danger', __('Discard the forms that do not open? They were never sent to Tracker, and nothing brings them back.', 'halt-tracker'));
            }
        }
        self::lost();
    }

    /** The button's handler. Each form is tried once more: what opens now is taken over. */
    public static function discard_unopened(): void
    {
        Input::guard('discard_unopened', Capabilities::MANAGE);
        $result = Relay::adopt(20, true);
        /* translators: %s: number of forms */
        Page::flash($result['discarded'] > 0 ? 'success' : 'info', sprintf(_n('%s form was discarded.', '%s forms were discarded.', $result['discarded'], 'halt-tracker'), number_format_i18n($result['discarded'])));
        foreach ($result['codes'] as $code) {
            Page::flash('warning', Messages::title($code));
        }
        wp_safe_redirect(Menu::url(Menu::DASHBOARD));
        exit;
    }

    /** Forms that nobody could keep, until somebody has dealt with it. */
    private static function lost(): void
    {
        $lost = Lost::seen();
        if ($lost['count'] === 0) {
            return;
        }
        /* translators: 1: number of forms, 2: a time span such as "3 minutes ago" */
        Page::explain('HT-1803', 'error', sprintf(_n('%1$s form was lost, %2$s.', '%1$s forms were lost, the last %2$s.', $lost['count'], 'halt-tracker'), number_format_i18n($lost['count']), Page::ago($lost['last_at'] * 1000)) . ' ' . Lost::cause());
        if (current_user_can(Capabilities::MANAGE)) {
            echo '<p>' . esc_html__('When the cause is repaired and the notification e-mails are looked through, say so: the next loss is then seen as a new one.', 'halt-tracker') . '</p>';
            Page::button('lost', __('I have dealt with it', 'halt-tracker'), ['count' => (string) $lost['count']]);
        }
    }

    /** The button's handler. */
    public static function dealt_with(): void
    {
        Input::guard('lost', Capabilities::MANAGE);
        if (Lost::dealt_with((int) Input::text('count'))) {
            Page::flash('success', __('Noted. The next form that cannot be kept is reported again.', 'halt-tracker'));
        } else {
            Page::flash('warning', __('Another form was lost in the meantime, so nothing was reset. Look again below.', 'halt-tracker'));
        }
        wp_safe_redirect(Menu::url(Menu::DASHBOARD));
        exit;
    }
}
