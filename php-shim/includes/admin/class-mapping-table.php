<?php
/**
 * The mapping as a table that people edit: a row for each field of Tracker, with the same JSON behind it that the text shows.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Rows in, JSON out; the engine judges the JSON, whichever way it was made. */
final class MappingTable
{
    /** Empty rows below the filled ones, so that rows can be added without a script. */
    private const SPARE = 3;

    /**
     * The row of the settings form: the table, and the way to the text.
     *
     * @param string|null              $typed   JSON that was typed before the form was refused.
     * @param list<array<string,mixed>> $errors
     * @param list<string>             $sources Names of fields that were seen.
     */
    public static function render(?string $typed, array $errors, array $sources): void
    {
        $text  = $typed ?? Options::text('field_map');
        $wrong = array_filter(array_map(static fn (array $error): int => ($error['setting'] ?? '') === 'field_map' ? (int) ($error['line'] ?? 0) - 1 : 0, $errors));
        echo '<tr><th scope="row">' . esc_html((string) Options::table()['field_map']['label']) . '</th><td id="halt-field_map">';
        self::ways(false);
        echo '<p class="description" id="halt-map-help">' . esc_html__('Each row fills one field in Tracker. Choose a field of your forms, or a text that is the same for everybody. Empty a row to remove it.', 'halt-tracker') . '</p>';
        self::rows('map', self::parse($text), $wrong);
        self::lists($sources);
        echo '</td></tr>';
    }

    /** A mistake with the number of its row in place of a line that nobody has typed. @param array<string,mixed> $error @return array<string,mixed> */
    public static function by_row(array $error): array
    {
        if (($error['setting'] ?? '') !== 'field_map' || (int) ($error['line'] ?? 0) < 2) {
            return $error;
        }
        /* translators: 1: what is wrong, 2: number of a row */
        $error['message'] = sprintf(__('%1$s (row %2$d)', 'halt-tracker'), rtrim((string) $error['message'], '.'), (int) $error['line'] - 1);
        unset($error['line'], $error['column']);
        return $error;
    }

    /** Whether a JSON text can be shown as a table: an object of texts. */
    public static function fits(string $text): bool
    {
        $map = json_decode($text);
        return is_object($map) && array_filter((array) $map, static fn ($value): bool => !is_string($value)) === [];
    }

    /** The two ways to edit it. */
    public static function ways(bool $as_text): void
    {
        $ways = [
            [__('As a table', 'halt-tracker'), Menu::url(Menu::SETTINGS, ['tab' => 'mapping']), !$as_text],
            [__('As text (JSON)', 'halt-tracker'), Menu::url(Menu::SETTINGS, ['tab' => 'mapping', 'edit' => 'text']), $as_text],
        ];
        echo '<p class="halt-ways">';
        foreach ($ways as [$label, $url, $current]) {
            printf($current ? '<strong aria-current="true">%2$s</strong>' : '<a href="%1$s">%2$s</a>', esc_url($url), esc_html($label));
        }
        echo '</p>';
    }

    /**
     * The table itself.
     *
     * @param list<array{0:string,1:string}> $rows  Tracker's field and where it comes from, as JSON says it.
     * @param array<int>                     $wrong Rows with a mistake, from 1.
     */
    public static function rows(string $name, array $rows, array $wrong = []): void
    {
        $heads = [__('Field in Tracker', 'halt-tracker'), __('Filled with', 'halt-tracker'), __('Form field or text', 'halt-tracker')];
        $id    = sanitize_html_class(str_replace(['[', ']'], '-', $name));
        echo '<div class="halt-map" data-halt-map data-add="' . esc_attr__('Add a row', 'halt-tracker') . '" data-remove="' . esc_attr__('Remove', 'halt-tracker') . '">';
        Page::table(...$heads);
        foreach (array_merge($rows, array_fill(0, self::SPARE, ['', ''])) as $at => [$field, $source]) {
            $fixed = str_starts_with($source, ':');
            $part  = static fn (string $which): string => sprintf('name="%1$s[%2$d][%3$s]" id="halt-%4$s-%2$d-%3$s"', esc_attr($name), $at, $which, esc_attr($id));
            /* translators: 1: heading of a column, 2: number of a row */
            $label = static fn (string $head): string => esc_attr(sprintf(__('%1$s, row %2$d', 'halt-tracker'), $head, $at + 1));
            $bad   = in_array($at + 1, $wrong, true) ? ' aria-invalid="true"' : '';
            // The parts are escaped above.
            // phpcs:disable WordPress.Security.EscapeOutput
            printf('<tr%s>', $bad !== '' ? ' class="form-invalid"' : ($field === '' ? ' class="halt-spare"' : ''));
            printf('<td data-label="%s"><div><input type="text" list="halt-tracker-fields" autocomplete="off" spellcheck="false" %s value="%s" aria-label="%s"%s></div></td>', esc_attr($heads[0]), $part('field'), esc_attr($field), $label($heads[0]), $bad);
            printf('<td data-label="%s"><div><select %s aria-label="%s">', esc_attr($heads[1]), $part('from'), $label($heads[1]));
            printf('<option value="field">%s</option><option value="text"%s>%s</option></select></div></td>', esc_html__('a form field', 'halt-tracker'), selected($fixed, true, false), esc_html__('always this text', 'halt-tracker'));
            printf('<td data-label="%s"><div><input type="text" list="halt-form-fields" autocomplete="off" spellcheck="false" %s value="%s" aria-label="%s"%s></div></td></tr>', esc_attr($heads[2]), $part('value'), esc_attr($fixed ? substr($source, 1) : $source), $label($heads[2]), $bad);
            // phpcs:enable
        }
        echo '</tbody></table></div>';
    }

    /** The choices of both columns, once for all tables of a page. @param list<string> $sources */
    public static function lists(array $sources): void
    {
        echo '<datalist id="halt-tracker-fields">';
        foreach (Words::tracker_fields() as $field) {
            printf('<option value="%s">%s</option>', esc_attr($field), esc_html(Words::field($field)));
        }
        echo '</datalist><datalist id="halt-form-fields">';
        foreach ($sources as $source) {
            printf('<option value="%s"></option>', esc_attr($source));
        }
        echo '</datalist>';
    }

    /**
     * JSON as rows; of a field that is filled twice both, because the text is read line by line as the table wrote it.
     *
     * @return list<array{0:string,1:string}>
     */
    public static function parse(string $text): array
    {
        $rows  = [];
        $lines = array_diff(array_map('trim', explode("\n", $text)), ['{', '}', '']);
        foreach ($lines as $line) {
            $one = json_decode('{' . rtrim($line, ',') . '}', true);
            if (!is_array($one) || count($one) !== 1) {
                // Written in another way: then JSON's own reading counts.
                return self::pairs((array) json_decode($text, true));
            }
            array_push($rows, ...self::pairs($one));
        }
        return $rows;
    }

    /** @param array<mixed> $map @return list<array{0:string,1:string}> */
    private static function pairs(array $map): array
    {
        return array_map(static fn ($field, $source): array => [(string) $field, is_string($source) ? $source : ''], array_keys($map), $map);
    }

    /**
     * Posted rows as JSON, one row a line, so that the line of a mistake is the number of its row.
     *
     * @param list<array<string,string>> $rows
     */
    public static function json(array $rows): string
    {
        $lines = [];
        foreach ($rows as $row) {
            $field = trim($row['field'] ?? '');
            $value = trim($row['value'] ?? '');
            if ($field !== '' || $value !== '') {
                $lines[] = '    ' . Engine::encode($field) . ': ' . Engine::encode(($row['from'] ?? '') === 'text' ? ':' . $value : $value);
            }
        }
        return $lines === [] ? '{}' : "{\n" . implode(",\n", $lines) . "\n}";
    }
}
