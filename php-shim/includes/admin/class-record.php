<?php
/**
 * A record of Tracker on our pages: its type and id, a link where the address of records is known, and a button that copies the id.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Escaped HTML; empty where there is no record. */
final class Record
{
    /** Type and id. @param array<string,mixed> $item */
    public static function link(array $item): string
    {
        $id = (string) ($item['tracker_id'] ?? '');
        if ($id === '') {
            return '';
        }
        $type = (string) ($item['record_type'] ?? '');
        $url  = strtr(Options::text('record_url'), ['{{record.id}}' => rawurlencode($id), '{{record.type}}' => rawurlencode($type)]);
        $text = esc_html(trim($type . ' ' . $id));
        return $url !== '' ? sprintf('<a href="%s">%s</a>', esc_url($url, ['https', 'http']), $text) : $text;
    }

    /** The same with a button that copies the id; without scripts the id can still be marked. @param array<string,mixed> $item */
    public static function with_copy(array $item): string
    {
        $link = self::link($item);
        return $link === '' ? '' : '<span class="halt-id">' . $link . '</span> ' . self::copy((string) $item['tracker_id'], __('Copy', 'halt-tracker'));
    }

    /** A button that copies a text. The script shows it; without one it would do nothing. */
    public static function copy(string $text, string $label): string
    {
        /* translators: %s: an id */
        return sprintf('<button type="button" class="button-link" hidden data-halt-copy="%1$s" data-copied="%2$s" aria-label="%4$s">%3$s</button>', esc_attr($text), esc_attr__('Copied', 'halt-tracker'), esc_html($label), esc_attr(sprintf(__('Copy %s', 'halt-tracker'), $text)));
    }
}
