<?php
/**
 * Shows the saved mapping as sentences in a table, because JSON is for editing and not for reading.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

defined('ABSPATH') || exit;

/** Reading only; the text below it is what is saved. */
final class MappingTable
{
    /** @param string $json The mapping in force. */
    public static function render(string $json): void
    {
        $map = json_decode($json, true);
        if (!is_array($map) || $map === []) {
            return;
        }
        $heads = [__('Field in Tracker', 'halt-tracker'), __('Filled with', 'halt-tracker')];
        echo '<h3>' . esc_html__('In force now', 'halt-tracker') . '</h3><div class="halt-narrow">';
        Page::table(...$heads);
        foreach ($map as $field => $source) {
            echo '<tr>';
            Page::cell($heads[0], '<strong>' . esc_html(Words::field((string) $field)) . '</strong> <code>' . esc_html((string) $field) . '</code>');
            Page::cell($heads[1], self::source(is_scalar($source) ? (string) $source : ''));
            echo '</tr>';
        }
        echo '</tbody></table></div><h3>' . esc_html__('Change it', 'halt-tracker') . '</h3><p class="halt-intro">' . esc_html__('In the text, each line is "Tracker field": "form field". A colon in front makes a fixed value, a dot reaches into nested values, and meta.utm_source takes a campaign parameter of the page. The usual names work everywhere: firstName, lastName, fullName, email, phone, mobile, note.', 'halt-tracker') . '</p>';
    }

    /** @return string Escaped HTML. */
    private static function source(string $source): string
    {
        if (str_starts_with($source, ':')) {
            /* translators: %s: a fixed text */
            return sprintf(esc_html__('always %s', 'halt-tracker'), '<strong>' . esc_html(substr($source, 1)) . '</strong>');
        }
        if (str_starts_with($source, 'meta.')) {
            /* translators: %s: name of a parameter */
            return sprintf(esc_html__('page information %s', 'halt-tracker'), '<code>' . esc_html(substr($source, 5)) . '</code>');
        }
        /* translators: %s: name of a form field */
        return sprintf(esc_html__('form field %s', 'halt-tracker'), '<code>' . esc_html($source) . '</code>');
    }
}
