<?php
/**
 * Renders one setting as one row of a form, from the table of settings; a secret's field is always empty.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Rows of settings. */
final class Fields
{
    /**
     * @param array<string,mixed>      $row    A row of the table.
     * @param string|null              $typed  What was typed before the form was refused.
     * @param bool                     $wrong  Whether it was refused because of this setting.
     * @param array<string,mixed>|null $status
     */
    public static function row(array $row, ?string $typed, bool $wrong, ?array $status): void
    {
        $name   = (string) $row['name'];
        $locked = Options::is_locked($name);
        $value  = $locked || $typed === null ? ($row['kind'] === 'secret' ? '' : Options::text($name)) : $typed;
        $more   = sprintf('id="halt-%1$s" name="%1$s" aria-describedby="halt-%1$s-help"%2$s%3$s', esc_attr($name), $locked ? ' disabled' : '', $wrong ? ' aria-invalid="true"' : '');
        echo '<tr' . ($wrong ? ' class="form-invalid"' : '') . '><th scope="row"><label for="halt-' . esc_attr($name) . '">' . esc_html((string) $row['label']) . '</label></th><td>';
        if ($name === 'field_map' && !$locked) {
            MappingTable::ways(true);
        }
        // $more is made of escaped parts above.
        // phpcs:disable WordPress.Security.EscapeOutput
        match ($row['kind']) {
            'choice' => self::choice($row, $value, $more),
            'switch' => printf('<input type="checkbox" value="1" %s%s>', $more, checked(!in_array(trim($value), ['', '0', 'false'], true), true, false)),
            'number' => printf('<input type="number" class="small-text" step="1" min="%d" max="%d" value="%s" %s>', (int) $row['min'], (int) $row['max'], esc_attr($value), $more),
            'lines'  => printf('<textarea class="large-text" rows="4" %s>%s</textarea>', $more, esc_textarea($value)),
            'json'   => printf('<textarea class="large-text code" rows="12" spellcheck="false" %s>%s</textarea>', $more, esc_textarea(self::pretty($value, $typed !== null))),
            'secret' => self::secret($name, $more, $status),
            default  => printf('<input type="text" class="regular-text" value="%s" %s>', esc_attr($value), $more),
        };
        // phpcs:enable
        echo '<p class="description" id="halt-' . esc_attr($name) . '-help">' . esc_html((string) $row['help']) . self::placeholders($name);
        if ($locked) {
            /* translators: %s: name of a constant */
            echo ' <strong>' . esc_html(sprintf(__('Set by %s in wp-config.php.', 'halt-tracker'), Options::constant($name))) . '</strong>';
        }
        echo '</p></td></tr>';
    }

    /** The words for a value of a choice. */
    public static function choice_label(string $value): string
    {
        return [
            'us'           => __('United States', 'halt-tracker'),
            'ca'           => __('Canada', 'halt-tracker'),
            'row'          => __('Rest of the world', 'halt-tracker'),
            'widget'       => __('Widget API', 'halt-tracker'),
            'rest'         => __('REST v1', 'halt-tracker'),
            'Resource'     => __('Resource (candidate)', 'halt-tracker'),
            'Contact'      => __('Contact', 'halt-tracker'),
            'Lead'         => __('Lead', 'halt-tracker'),
            'use_existing' => __('Use the existing record', 'halt-tracker'),
            'create'       => __('Always create a new one', 'halt-tracker'),
        ][$value] ?? $value;
    }

    /** JSON on several lines, unless somebody typed it: then exactly as it was typed. */
    public static function pretty(string $json, bool $typed): string
    {
        $value = $typed ? null : json_decode($json);
        return is_object($value) ? (string) wp_json_encode($value, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES) : $json;
    }

    /** What may stand in a template, once below the last of them. @return string Escaped HTML. */
    private static function placeholders(string $name): string
    {
        if ($name !== 'activity_notes') {
            return '';
        }
        $text = '';
        foreach (['form_id', 'form_title', 'page_url', 'timestamp', 'record.id', 'fields.', 'meta.'] as $word) {
            $text .= '<br><code>{{' . esc_html($word . (str_ends_with($word, '.') ? 'name' : '')) . '}}</code> ' . esc_html(Words::engine('placeholders', $word));
        }
        return $text;
    }

    /** @param array<string,mixed> $row */
    private static function choice(array $row, string $value, string $more): void
    {
        // phpcs:ignore WordPress.Security.EscapeOutput -- made of escaped parts by the caller.
        echo '<select ' . $more . '>';
        foreach ($row['choices'] as $choice) {
            printf('<option value="%s"%s>%s</option>', esc_attr($choice), selected(strtolower(trim($value)), strtolower($choice), false), esc_html(self::choice_label($choice)));
        }
        echo '</select>';
    }

    /** @param array<string,mixed>|null $status */
    private static function secret(string $name, string $more, ?array $status): void
    {
        // phpcs:ignore WordPress.Security.EscapeOutput -- made of escaped parts by the caller.
        printf('<input type="password" class="regular-text" value="" autocomplete="new-password" spellcheck="false" %s%s>', $more, Engine::ready() ? '' : ' disabled');
        $said = [];
        foreach ($status['secrets'] ?? [] as $one) {
            if ($one['name'] !== $name || empty($one['set'])) {
                continue;
            }
            /* translators: %s: last four characters */
            $said[] = ($one['last4'] ?? '') !== '' ? sprintf(__('Set, ends in %s.', 'halt-tracker'), $one['last4']) : __('Set.', 'halt-tracker');
            if (!empty($one['weak'])) {
                $said[] = __('It is weak; please replace it.', 'halt-tracker');
            }
        }
        if ($said === []) {
            $said[] = Engine::ready() ? (Options::is_locked($name) ? '' : __('Not set.', 'halt-tracker')) : __('Secrets can be saved as soon as the engine is running.', 'halt-tracker');
        }
        echo ' <span class="halt-secret">' . esc_html(implode(' ', $said)) . '</span>';
    }
}
