<?php
/**
 * A page for each error code: what happened, whether the data is safe, what to do next, and the way to every other code.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** Reads the engine's table of codes; it asks nobody. */
final class Help
{
    /** The page of a code, or the list of all. */
    public static function render(string $code): void
    {
        $all   = Messages::all();
        $known = isset($all[$code]);
        Page::open($known ? Messages::title($code) : __('Halt Tracker error codes', 'halt-tracker'), false);
        echo '<p><a href="' . esc_url(Menu::url(Menu::DASHBOARD)) . '">&larr; ' . esc_html__('Back to the Dashboard', 'halt-tracker') . '</a></p>';
        if ($known) {
            echo '<div class="halt-card">';
            Page::three($code);
            echo '</div><p class="halt-quiet">' . esc_html__('If you write to support, send the code and the time; both are in the Sync Log.', 'halt-tracker') . '</p>';
        }
        echo '<details class="halt-details"' . ($known ? '' : ' open') . '><summary>' . esc_html__('All codes', 'halt-tracker') . '</summary><ul class="halt-codes">';
        foreach ($all as $one => $row) {
            printf('<li><a href="%s">%s</a> %s</li>', esc_url(self::url((string) $one)), esc_html((string) $one), esc_html($row['title']));
        }
        echo '</ul></details>';
        Page::close();
    }

    /** The address of a code's page. */
    public static function url(string $code): string
    {
        return Menu::url(Menu::DASHBOARD, ['help' => $code]);
    }

    /** The headline of a code, with the code as a link to its page. @return string Escaped HTML. */
    public static function headline(string $code): string
    {
        $row = Messages::of($code);
        return esc_html($row['title']) . sprintf(' (<a href="%s">%s</a>)', esc_url(self::url($code)), esc_html($code));
    }
}
