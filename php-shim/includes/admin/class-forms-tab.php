<?php
/**
 * The Forms tab: picks forms from those found in the content or seen on arrival, so that nobody has to type an id.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\DiviContent;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** What happens with each form, kept as one JSON object by form key. */
final class FormsTab
{
    private const TEXTS = ['required_fields', 'attachment_field', 'activity_subject', 'activity_notes'];

    /**
     * One group of fields per form.
     *
     * @param string|null              $typed  JSON of what was typed before the form was refused.
     * @param array<string,mixed>|null $status
     */
    public static function render(?string $typed, ?array $status): void
    {
        if (Options::is_locked('forms')) {
            /* translators: %s: name of a constant */
            echo '<p>' . esc_html(sprintf(__('Set by %s in wp-config.php.', 'halt-tracker'), Options::constant('forms'))) . '</p>';
            return;
        }
        $saved = json_decode($typed ?? Options::text('forms'), true);
        $saved = is_array($saved) ? $saved : [];
        $forms = self::known($status, $saved);
        if ($forms === []) {
            echo '<p>' . esc_html__('No form was found in the content yet, and none has arrived. Forms appear here by themselves.', 'halt-tracker') . '</p>';
        }
        MappingTable::lists(FormFields::seen($status));
        $at = 0;
        foreach ($forms as $key => $about) {
            self::form($at++, (string) $key, $about, is_array($saved[$key] ?? null) ? $saved[$key] : []);
        }
    }

    /**
     * What was posted: the JSON to save, and what is wrong with it.
     *
     * @return array{0:string,1:list<array<string,mixed>>}
     */
    public static function posted(): array
    {
        if (Options::is_locked('forms')) {
            return [Options::text('forms'), []];
        }
        $all    = json_decode(Options::text('forms'), true);
        $all    = is_array($all) ? $all : [];
        $errors = [];
        $tables = Input::nested('forms', 'map');
        foreach (Input::groups('forms') as $at => $given) {
            $key = trim($given['key'] ?? '');
            if ($key === '') {
                continue;
            }
            $entry = ['mode' => in_array($given['mode'] ?? '', ['hold', 'ignore'], true) ? $given['mode'] : 'send'];
            if (in_array($given['record_type'] ?? '', ['Resource', 'Contact', 'Lead'], true)) {
                $entry['record_type'] = $given['record_type'];
            }
            $map = isset($given['field_map']) ? trim($given['field_map']) : MappingTable::json($tables[$at] ?? []);
            if ($map !== '' && $map !== '{}') {
                $wrong              = self::map_errors($key, $map);
                $errors             = array_merge($errors, $wrong);
                $decoded            = json_decode($map);
                // With a mistake in it the text stays as it is: an object would have dropped what stands there twice.
                $entry['field_map'] = is_object($decoded) && $wrong === [] ? $decoded : $map;
            }
            foreach (self::TEXTS as $name) {
                if (trim($given[$name] ?? '') !== '') {
                    $entry[$name] = trim($given[$name]);
                }
            }
            $aliases = array_values(array_filter(array_map('trim', explode(',', $given['aliases'] ?? ''))));
            if ($aliases !== []) {
                $entry['aliases'] = $aliases;
            }
            unset($all[$key]);
            if ($entry !== ['mode' => 'send']) {
                $all[$key] = $entry;
            }
        }
        return [Engine::encode((object) $all), $errors];
    }

    /**
     * The place of a mistake inside this form's own mapping, which the whole JSON would not show.
     *
     * @return list<array<string,mixed>>
     */
    private static function map_errors(string $key, string $map): array
    {
        $errors = is_object(json_decode($map)) ? [] : [['setting' => 'forms', 'code' => 'HT-1401', 'message' => json_last_error_msg()]];
        try {
            // Also for what JSON alone would swallow: a field that is filled twice.
            $found  = array_filter(Engine::check(['field_map' => $map])['errors'], static fn (array $error): bool => $error['setting'] === 'field_map');
            $errors = array_map(static fn (array $error): array => array_merge($error, ['setting' => 'forms']), array_values($found));
        } catch (EngineException) {
            // Without the engine the message has no line.
            unset($found);
        }
        return array_map(static fn (array $error): array => array_merge($error, ['message' => $key . ': ' . $error['message']]), $errors);
    }

    /**
     * @param array<string,mixed>|null $status
     * @param array<string,mixed>      $saved
     * @return array<string,array{title:string,note:string}>
     */
    private static function known(?array $status, array $saved): array
    {
        $forms = [];
        foreach (DiviContent::all() as $key => $form) {
            /* translators: %s: title of a page */
            $forms[$key] = ['title' => $form['title'] !== '' ? $form['title'] : $form['css_id'], 'note' => sprintf(__('on “%s”', 'halt-tracker'), $form['page'])];
        }
        foreach ($status['forms'] ?? [] as $form) {
            $key  = (string) $form['key'];
            /* translators: 1: number of submissions, 2: a time span such as "3 minutes ago" */
            $seen = sprintf(__('%1$s received, last %2$s', 'halt-tracker'), number_format_i18n((int) ($form['count'] ?? 0)), Page::ago($form['last_seen'] ?? null));
            $name = (string) (($form['title'] ?? '') !== '' ? $form['title'] : ($form['id'] ?? ''));
            $forms[$key] = ['title' => $name !== '' ? $name : ($forms[$key]['title'] ?? ''), 'note' => trim(($forms[$key]['note'] ?? '') . ' – ' . $seen, ' –')];
        }
        foreach (array_keys($saved) as $key) {
            $forms[$key] ??= ['title' => '', 'note' => __('not found at the moment', 'halt-tracker')];
        }
        return $forms;
    }

    /**
     * @param array{title:string,note:string} $about
     * @param array<string,mixed>             $own
     */
    private static function form(int $at, string $key, array $about, array $own): void
    {
        $name = static fn (string $part): string => 'forms[' . $at . '][' . $part . ']';
        $id   = static fn (string $part): string => 'halt-form-' . $at . '-' . $part;
        $map  = $own['field_map'] ?? '';
        $map  = is_string($map) ? $map : (string) wp_json_encode((object) $map, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
        echo '<fieldset class="halt-card"><legend>' . esc_html(Words::form(['title' => $about['title'], 'key' => $key])) . '</legend>';
        echo '<p class="halt-quiet">' . esc_html($about['note']) . '</p>';
        printf('<input type="hidden" name="%s" value="%s">', esc_attr($name('key')), esc_attr($key));
        self::select($id('mode'), $name('mode'), __('Submissions of this form', 'halt-tracker'), (string) ($own['mode'] ?? 'send'), [
            'send'   => __('Send to Tracker', 'halt-tracker'),
            'hold'   => __('Hold for review', 'halt-tracker'),
            'ignore' => __('Ignore (not stored)', 'halt-tracker'),
        ]);
        $types = ['' => __('As set under Mapping', 'halt-tracker')];
        foreach (['Resource', 'Contact', 'Lead'] as $type) {
            $types[$type] = Fields::choice_label($type);
        }
        self::select($id('record_type'), $name('record_type'), __('Record type', 'halt-tracker'), (string) ($own['record_type'] ?? ''), $types);
        echo '<details' . ($map !== '' || array_intersect_key($own, array_flip(self::TEXTS)) !== [] ? ' open' : '') . '><summary>' . esc_html__('Its own mapping and texts', 'halt-tracker') . '</summary>';
        if ($map === '' || MappingTable::fits($map)) {
            echo '<p><strong>' . esc_html__('Field mapping', 'halt-tracker') . '</strong> <span class="halt-quiet">' . esc_html__('Leave it empty to use the one under Mapping.', 'halt-tracker') . '</span></p>';
            MappingTable::rows($name('map'), MappingTable::parse($map !== '' ? $map : '{}'));
        } else {
            echo '<p><label for="' . esc_attr($id('field_map')) . '">' . esc_html__('Field mapping (empty: the one under Mapping)', 'halt-tracker') . '</label>';
            printf('<textarea class="large-text code" rows="5" spellcheck="false" id="%s" name="%s">%s</textarea></p>', esc_attr($id('field_map')), esc_attr($name('field_map')), esc_textarea($map));
        }
        foreach (self::TEXTS as $part) {
            printf('<p><label for="%1$s">%2$s</label> <input type="text" class="regular-text" id="%1$s" name="%3$s" value="%4$s"></p>', esc_attr($id($part)), esc_html((string) Options::table()[$part]['label']), esc_attr($name($part)), esc_attr(Options::as_text($own[$part] ?? '')));
        }
        printf('<p class="halt-quiet">%s <code>%s</code></p>', esc_html__('Key of the form:', 'halt-tracker'), esc_html($key));
        $aliases = is_array($own['aliases'] ?? null) ? implode(', ', array_filter($own['aliases'], 'is_string')) : '';
        printf('<p><label for="%1$s">%2$s</label> <input type="text" class="regular-text" id="%1$s" name="%3$s" value="%4$s"></p>', esc_attr($id('aliases')), esc_html__('Other ids of this form, separated by commas', 'halt-tracker'), esc_attr($name('aliases')), esc_attr($aliases));
        echo '</details></fieldset>';
    }

    /** @param array<string,string> $choices */
    private static function select(string $id, string $name, string $label, string $value, array $choices): void
    {
        printf('<p><label for="%1$s">%2$s</label> <select id="%1$s" name="%3$s">', esc_attr($id), esc_html($label), esc_attr($name));
        foreach ($choices as $choice => $text) {
            printf('<option value="%s"%s>%s</option>', esc_attr((string) $choice), selected($value, (string) $choice, false), esc_html($text));
        }
        echo '</select></p>';
    }
}
