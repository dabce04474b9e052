<?php
/**
 * One submission in full: what came in, what was sent, what Tracker said, and what a person can do about it.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** The detail view. All that it prints came from strangers and is escaped here. */
final class Detail
{
    /** The page. */
    public static function render(string $id): void
    {
        try {
            $raw = Engine::raw('get', [$id]);
            $one = (array) json_decode($raw, true);
            // Decoded twice, because an array cannot tell an empty object from an empty list.
            foreach (json_decode($raw)->steps ?? [] as $at => $step) {
                $one['steps'][$at]['sent'] = $step->sent ?? null;
            }
        } catch (EngineException $fault) {
            self::open('');
            Page::explain($fault->ht_code);
            Page::close();
            return;
        }
        Audit::viewed('page', (string) $one['id']);
        self::open(Words::person((array) ($one['fields'] ?? [])));
        self::head($one);
        self::fields($one);
        self::files($one);
        self::steps($one['steps'] ?? []);
        Timeline::render($one['journal'] ?? []);
        self::technical($one);
        Page::close();
    }

    private static function open(string $person): void
    {
        /* translators: %s: name of a person */
        Page::open($person !== '' ? sprintf(__('Submission from %s', 'halt-tracker'), $person) : __('Submission', 'halt-tracker'));
        echo '<p><a href="' . esc_url(Menu::url(Menu::SYNC_LOG)) . '">&larr; ' . esc_html__('Back to the Sync Log', 'halt-tracker') . '</a></p>';
    }

    /** State, what it means, and what a person can do. @param array<string,mixed> $one */
    private static function head(array $one): void
    {
        $state  = (string) $one['state'];
        $closed = (string) ($one['unopened'] ?? '');
        // Whatever else has happened to it: what does not open cannot be sent, and cannot be read here.
        $code   = $closed !== '' ? $closed : (string) ($one['code'] ?? '');
        $reason = (string) ($one['reason'] ?? '');
        $alert  = in_array($state, ['failed', 'attention', 'held'], true);
        echo '<div class="halt-card' . ($alert ? ' halt-card-alert' : '') . '"><p class="halt-lead">' . wp_kses_post(Page::state($state)) . ' ' . esc_html($state === 'done' ? __('The person is in Tracker.', 'halt-tracker') : Words::engine('states', $state)) . '</p>';
        if ($code !== '' && $state !== 'discarded') {
            echo '<h2>' . wp_kses_post(Help::headline($code)) . '</h2>';
            Page::three($code, $closed !== '' ? '' : self::said($one));
        }
        if (!empty($one['erase'])) {
            echo '<p><strong>' . esc_html__('This submission is marked for erasure. It is erased as soon as its last request to Tracker is settled.', 'halt-tracker') . '</strong></p>';
        }
        if (!empty($one['erases_at'])) {
            /* translators: %s: a date */
            echo '<p>' . sprintf(esc_html__('Data of submissions that failed or wait for a decision is kept for 90 days. What was entered here, with its files, is erased on %s.', 'halt-tracker'), esc_html(Page::time($one['erases_at']))) . '</p>';
        }
        self::buttons($one);
        echo '</div>';
        $rows = [
            __('Received', 'halt-tracker')   => Page::moment($one['received_at']),
            __('Form', 'halt-tracker')       => esc_html(Words::form((array) ($one['form'] ?? [])) . ' – ' . Words::source((string) ($one['source'] ?? ''))),
            __('In Tracker', 'halt-tracker') => Record::link($one) === '' ? esc_html__('not yet', 'halt-tracker') : Record::with_copy($one),
        ];
        if ((int) ($one['attempts'] ?? 0) > 0) {
            $rows[__('Failed attempts', 'halt-tracker')] = esc_html(number_format_i18n((int) $one['attempts']));
        }
        if (!empty($one['due_at'])) {
            $rows[__('Next try', 'halt-tracker')] = (int) $one['due_at'] / 1000 > time() ? Page::moment($one['due_at']) : esc_html__('with the next run', 'halt-tracker');
        }
        if (!empty($one['waits_for'])) {
            $rows[__('Waits for', 'halt-tracker')] = sprintf('<a href="%s">%s</a>', esc_url(Menu::url(Menu::SYNC_LOG, ['id' => (string) $one['waits_for']])), esc_html__('an earlier submission of the same person', 'halt-tracker'));
        }
        if ($reason !== '' && ($code === '' || $state === 'discarded')) {
            $rows[__('Reason', 'halt-tracker')] = esc_html(Words::reason($reason));
        }
        $rows[__('Last change', 'halt-tracker')] = Page::moment($one['updated_at']);
        Page::facts($rows);
    }

    /** @param array<string,mixed> $one */
    private static function buttons(array $one): void
    {
        $labels = [
            'retry'   => __('Retry now', 'halt-tracker'),
            'release' => __('Release and send', 'halt-tracker'),
            'absent'  => __('It is not in Tracker: look once more, then send', 'halt-tracker'),
            'discard' => __('Discard', 'halt-tracker'),
            'spam'    => __('Discard as spam', 'halt-tracker'),
            'erase'   => __('Erase its data', 'halt-tracker'),
        ];
        $can = array_map('strval', $one['can'] ?? []);
        if (!current_user_can(Capabilities::MANAGE)) {
            $can = array_intersect($can, ['retry']);
        }
        if ($can === []) {
            return;
        }
        echo '<h2 class="screen-reader-text">' . esc_html__('What you can do', 'halt-tracker') . '</h2>';
        if (in_array('exists', $can, true)) {
            echo '<form method="post" class="halt-inline" action="' . esc_url(admin_url('admin-post.php')) . '">';
            Page::guard('act');
            echo '<input type="hidden" name="deed" value="exists"><input type="hidden" name="id" value="' . esc_attr((string) $one['id']) . '">';
            echo '<label for="halt-tracker-id">' . esc_html__('It is in Tracker, with the id', 'halt-tracker') . '</label> ';
            echo '<input type="number" min="1" step="1" required id="halt-tracker-id" name="tracker_id" class="small-text"> ';
            echo '<button type="submit" class="button button-primary">' . esc_html__('Use this record', 'halt-tracker') . '</button></form>';
        }
        echo '<div class="halt-buttons">';
        foreach ($labels as $deed => $label) {
            if (in_array($deed, $can, true)) {
                $class = ['erase' => 'button halt-danger', 'retry' => 'button button-primary', 'release' => 'button button-primary'][$deed] ?? 'button';
                $ask   = $deed === 'erase' ? __('Erase what this person entered here, with the files? What the same person sent before and has not come in yet is erased with it. This cannot be undone. What is in Tracker stays there.', 'halt-tracker') : '';
                Page::button('act', $label, ['deed' => $deed, 'id' => (string) $one['id']], $class, $ask);
            }
        }
        echo '</div>';
    }

    /** @param array<string,mixed> $one */
    private static function fields(array $one): void
    {
        $rows  = [];
        $empty = [];
        foreach ($one['fields'] ?? [] as $name => $value) {
            $label = Words::field((string) $name, (string) ($one['labels'][$name] ?? ''));
            $label = isset($rows[$label]) ? $label . ' (' . $name . ')' : $label;
            $text  = self::words($value);
            trim($text) === '' ? $empty[] = $label : $rows[$label] = nl2br(esc_html($text));
        }
        echo '<h2>' . esc_html__('What the person wrote', 'halt-tracker') . '</h2>';
        if ($empty !== []) {
            $rows[__('Left empty', 'halt-tracker')] = '<span class="halt-quiet">' . esc_html(implode(', ', $empty)) . '</span>';
        }
        $rows === [] ? print '<p>' . esc_html__('The fields are erased or cannot be opened.', 'halt-tracker') . '</p>' : Page::facts($rows);
        if (!empty($one['meta'])) {
            echo '<h2>' . esc_html__('Where it came from', 'halt-tracker') . '</h2>';
            $from = [];
            foreach ($one['meta'] as $name => $value) {
                $from[Words::field((string) $name)] = esc_html(self::words($value));
            }
            Page::facts($from);
        }
    }

    /** @param array<string,mixed> $one */
    private static function files(array $one): void
    {
        if (empty($one['file_list'])) {
            return;
        }
        echo '<h2>' . esc_html__('Files', 'halt-tracker') . '</h2><ul class="halt-files">';
        foreach ($one['file_list'] as $file) {
            echo '<li><strong>' . esc_html((string) $file['name']) . '</strong> ' . '<span class="halt-quiet">' . esc_html((string) size_format((int) ($file['size'] ?? 0))) . (($file['field'] ?? '') !== '' ? ' · ' . esc_html(Words::field((string) $file['field'])) : '') . '</span> ';
            if (!empty($file['refused'])) {
                echo '<br><span class="halt-warning">' . esc_html(Messages::title((string) $file['refused']) . '. ' . Messages::of((string) $file['refused'])['next']) . '</span> ';
            }
            if (!empty($file['kept'])) {
                Page::button('file', __('Download', 'halt-tracker'), ['id' => (string) $one['id'], 'ordinal' => (string) $file['ordinal']]);
            }
            echo '</li>';
        }
        echo '</ul>';
    }

    /** @param list<array<string,mixed>> $steps */
    private static function steps(array $steps): void
    {
        if ($steps === []) {
            return;
        }
        echo '<h2>' . esc_html__('What was sent to Tracker', 'halt-tracker') . '</h2><ol class="halt-steps">';
        foreach ($steps as $step) {
            $state = (string) $step['state'];
            // A search that finds nobody is no step left out.
            $none  = $step['kind'] === 'find' && $state === 'skipped';
            $name  = $none ? __('Nobody found', 'halt-tracker') : rtrim(Words::engine('step_states', $state), '.');
            $said  = $none ? '' : Words::outcome((string) ($step['how'] ?? ''), (string) ($step['message'] ?? ''));
            printf(
                '<li><p><strong>%s</strong> <span class="halt-state halt-step-%s">%s</span> %s %s %s</p>',
                esc_html(Words::step((string) $step['kind'])),
                esc_attr(sanitize_html_class($state)),
                esc_html($name),
                /* translators: %s: an id */
                !empty($step['tracker_id']) ? esc_html(sprintf(__('Tracker’s id %s', 'halt-tracker'), $step['tracker_id'])) : '',
                wp_kses_post(Page::code($step['code'] ?? '')),
                esc_html($said)
            );
            $lines = Words::lines($step['sent'] ?? null);
            if ($lines !== []) {
                echo '<details class="halt-details"><summary>' . (in_array($state, ['todo', 'skipped'], true) ? esc_html__('What would be sent', 'halt-tracker') : esc_html__('What was sent', 'halt-tracker')) . '</summary>';
                Page::facts(array_map(static fn (string $text): string => nl2br(esc_html($text)), $lines));
                echo '</details>';
            }
            echo '</li>';
        }
        echo '</ol>';
    }

    /** The words of the step that went wrong, else those of the submission. @param array<string,mixed> $one */
    private static function said(array $one): string
    {
        $said = [Words::outcome('', (string) ($one['message'] ?? ''))];
        foreach ($one['steps'] ?? [] as $step) {
            // The submission itself often ends with the words of the step that it stopped at.
            $words = Words::outcome('', (string) ($step['message'] ?? ''));
            if (!empty($step['code']) && $words !== '' && $words !== $said[0]) {
                $said[] = Words::step((string) $step['kind']) . ': ' . $words;
            }
        }
        return implode(' ', array_unique(array_filter($said, static fn (string $one): bool => $one !== '')));
    }

    /** What only support asks for. @param array<string,mixed> $one */
    private static function technical(array $one): void
    {
        echo '<details class="halt-details"><summary>' . esc_html__('For support', 'halt-tracker') . '</summary>';
        Page::facts([
            __('Id', 'halt-tracker')         => '<code>' . esc_html((string) $one['id']) . '</code>',
            __('Marker', 'halt-tracker')     => '<code>' . esc_html((string) ($one['marker'] ?? '')) . '</code>',
            __('Id of the form', 'halt-tracker') => '<code>' . esc_html((string) ($one['form']['id'] ?? '')) . '</code>',
            __('Key of the form', 'halt-tracker') => '<code>' . esc_html((string) ($one['form']['key'] ?? '')) . '</code>',
            __('Names of the fields', 'halt-tracker') => '<code>' . esc_html(implode(', ', array_keys($one['fields'] ?? []))) . '</code>',
        ]);
        echo '</details>';
    }

    /** @param mixed $value */
    private static function words($value): string
    {
        return is_array($value) || is_object($value) ? self::pretty($value) : Options::as_text($value);
    }

    /** @param mixed $value */
    private static function pretty($value): string
    {
        return is_string($value) ? $value : (string) wp_json_encode($value, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    }
}
