<?php
/**
 * Shows what a form would send, without sending it: its last real submission through the mapping, or its marked test.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\DiviContent;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Shown at once and kept nowhere: it is personal data. */
final class Preview
{
    /**
     * Every form that can be picked: those that arrived, and those in the content.
     *
     * @param array<string,mixed>|null $status
     * @return array<string,array<string,mixed>> By key; `count` is 0 for a form that nobody has filled in yet.
     */
    public static function forms(?array $status): array
    {
        $forms = [];
        foreach ($status['forms'] ?? [] as $form) {
            $forms[(string) $form['key']] = $form;
        }
        foreach (DiviContent::all() as $key => $form) {
            $id = $form['css_id'] !== '' ? $form['css_id'] : $key;
            $forms[$key] ??= ['key' => $key, 'id' => $id, 'title' => $form['title'], 'aliases' => [], 'count' => 0, 'page' => $form['page']];
        }
        return $forms;
    }

    /** What a form is called where one is picked. @param array<string,mixed> $form */
    public static function label(array $form): string
    {
        $page = (string) ($form['page'] ?? '');
        /* translators: 1: name of a form, 2: title of a page */
        return $page !== '' ? sprintf(__('%1$s, on “%2$s”', 'halt-tracker'), Words::form($form), $page) : Words::form($form);
    }

    /** The choice of a form. @param array<string,array<string,mixed>> $forms */
    public static function choice(array $forms, string $chosen, string $name, string $id): void
    {
        printf('<select id="%s" name="%s">', esc_attr($id), esc_attr($name));
        foreach ($forms as $key => $form) {
            printf('<option value="%s"%s>%s</option>', esc_attr((string) $key), selected($chosen, (string) $key, false), esc_html(self::label($form)));
        }
        echo '</select>';
    }

    /**
     * The requests as tables. Says whether all is well.
     *
     * @param array<string,mixed> $form
     */
    public static function show(array $form): bool
    {
        $query = empty($form['count']) ? ['test' => self::plain($form)] : ['form' => (string) $form['key']];
        try {
            $raw = Engine::raw('preview', [Engine::encode($query)]);
        } catch (EngineException $fault) {
            Page::explain($fault->ht_code);
            return false;
        }
        $shown = (array) json_decode($raw, true);
        if (isset($query['form'])) {
            Audit::viewed('preview', (string) ($shown['id'] ?? ''));
        }
        echo '<p class="halt-quiet">' . esc_html(isset($query['form']) ? __('This is the last submission of this form, as it would be sent now.', 'halt-tracker') : __('Nobody has filled in this form yet. This is the marked test, as it would be sent.', 'halt-tracker')) . '</p>';
        foreach ($shown['errors'] ?? [] as $error) {
            echo '<p class="halt-warning">' . esc_html(Save::sentence($error)) . '</p>';
        }
        // Decoded twice, because an array cannot tell an empty object from an empty list.
        foreach (json_decode($raw)->steps ?? [] as $step) {
            $lines = Words::lines($step->request ?? null);
            if ($lines !== []) {
                echo '<h3>' . esc_html(Words::step((string) $step->kind)) . '</h3>';
                Page::facts(array_map(static fn (string $text): string => nl2br(esc_html($text)), $lines));
            }
        }
        if (!empty($shown['unused'])) {
            /* translators: 1: a record type, 2: names of fields */
            echo '<p>' . esc_html(sprintf(__('Not used for %1$s: %2$s', 'halt-tracker'), (string) ($shown['record_type'] ?? ''), implode(', ', array_map([Options::class, 'as_text'], $shown['unused'])))) . '</p>';
        }
        return ($shown['errors'] ?? []) === [];
    }

    /** A form as the engine knows it. @param array<string,mixed> $form @return array<string,mixed> */
    public static function plain(array $form): array
    {
        return ['id' => (string) ($form['id'] ?? ''), 'key' => (string) ($form['key'] ?? ''), 'title' => (string) ($form['title'] ?? ''), 'aliases' => array_values(array_filter((array) ($form['aliases'] ?? []), 'is_string'))];
    }
}
