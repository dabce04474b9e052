<?php
/**
 * Shows what came over from the earlier plugin and waits for a decision, with the one button that sends it; and what could not be read.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\EarlierTable;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;

defined('ABSPATH') || exit;

/** A card of the Dashboard. */
final class EarlierCard
{
    /** Prints what applies. @param array<string,mixed>|null $status */
    public static function render(?array $status): void
    {
        $held = (int) ($status['earlier_held'] ?? 0);
        if ($held > 0) {
            echo '<div class="halt-card"><h2>' . esc_html__('From the earlier plugin', 'halt-tracker') . '</h2><p>';
            /* translators: %s: number of submissions */
            echo esc_html(sprintf(_n('%s submission that the earlier plugin had not delivered was taken over. It is held; nothing is sent until you release it.', '%s submissions that the earlier plugin had not delivered were taken over. They are held; nothing is sent until you release them.', $held, 'halt-tracker'), number_format_i18n($held)));
            echo ' ' . esc_html__('Before each of them is sent, Tracker is searched for the person.', 'halt-tracker') . '</p>';
            if (current_user_can(Capabilities::MANAGE)) {
                Page::button('release_earlier', __('Release all of them', 'halt-tracker'));
            }
            echo '</div>';
        }
        $stuck = EarlierTable::stuck();
        if ($stuck['left'] > 0) {
            /* translators: %s: number of rows */
            Page::explain($stuck['code'], 'warning', sprintf(_n('%s row of the earlier plugin’s table was not taken over.', '%s rows of the earlier plugin’s table were not taken over.', $stuck['left'], 'halt-tracker'), number_format_i18n($stuck['left'])));
        }
    }

    /** The button's handler. */
    public static function release(): void
    {
        Input::guard('release_earlier', Capabilities::MANAGE);
        try {
            $count = (int) (Engine::act(['action' => 'release_earlier'])['count'] ?? 0);
            /* translators: %s: number of submissions */
            Page::flash('success', sprintf(_n('%s submission is released and is sent by the next run.', '%s submissions are released and are sent by the next runs.', $count, 'halt-tracker'), number_format_i18n($count)));
        } catch (EngineException $fault) {
            Page::flash_fault($fault);
        }
        wp_safe_redirect(Menu::url(Menu::DASHBOARD));
        exit;
    }
}
