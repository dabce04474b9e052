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
        Page::open(__('Submission', 'halt-tracker'));
        echo '<p><a href="' . esc_url(Menu::url(Menu::SYNC_LOG)) . '">&larr; ' . esc_html__('Sync Log', 'halt-tracker') . '</a></p>';
        try {
            $raw = Engine::raw('get', [$id]);
            $one = (array) json_decode($raw, true);
            // Decoded twice, because an array cannot tell an empty object from an empty list.
            foreach (json_decode($raw)->steps ?? [] as $at => $step) {
                $one['steps'][$at]['sent'] = $step->sent ?? null;
            }
        } catch (EngineException $fault) {
            Page::explain($fault->ht_code);
            Page::close();
            return;
        }
        Audit::viewed('page', (string) $one['id']);
        self::head($one);
        self::buttons($one);
        self::fields($one);
        self::files($one);
        self::steps($one['steps'] ?? []);
        self::journal($one['journal'] ?? []);
        Page::close();
    }

    /** @param array<string,mixed> $one */
    private static function head(array $one): void
    {
        $code = (string) ($one['code'] ?? '');
        $rows = [
            __('Status', 'halt-tracker')      => Page::state((string) $one['state']) . ' ' . esc_html((string) ($one['reason'] ?? '')),
            __('Received', 'halt-tracker')    => esc_html(Page::time($one['received_at'])),
            __('Last change', 'halt-tracker') => esc_html(Page::time($one['updated_at'])),
            __('Form', 'halt-tracker')        => esc_html(trim(($one['form']['title'] ?? '') . ' ' . ($one['form']['id'] ?? ''))) . ' <code>' . esc_html((string) ($one['form']['key'] ?? '')) . '</code>',
            __('In Tracker', 'halt-tracker')  => SubmissionsTable::record($one),
            __('Attempts', 'halt-tracker')    => esc_html(number_format_i18n((int) ($one['attempts'] ?? 0))),
            __('Marker', 'halt-tracker')      => '<code>' . esc_html((string) ($one['marker'] ?? '')) . '</code>',
            __('Id', 'halt-tracker')          => '<code>' . esc_html((string) $one['id']) . '</code>',
        ];
        if (!empty($one['due_at'])) {
            $rows[__('Next try', 'halt-tracker')] = esc_html(Page::time($one['due_at']));
        }
        if (!empty($one['waits_for'])) {
            $rows[__('Waits for', 'halt-tracker')] = esc_html((string) $one['waits_for']);
        }
        if (($one['message'] ?? '') !== '') {
            $rows[__('Message', 'halt-tracker')] = esc_html((string) $one['message']);
        }
        self::facts($rows);
        if ($code !== '') {
            Page::explain($code, in_array($one['state'], ['failed', 'attention'], true) ? 'warning' : 'info');
        }
        if (!empty($one['erase'])) {
            Page::notice('info', __('This submission is marked for erasure. It is erased as soon as its last request to Tracker is settled.', 'halt-tracker'));
        }
    }

    /** @param array<string,mixed> $one */
    private static function buttons(array $one): void
    {
        $labels = [
            'retry'   => __('Retry', 'halt-tracker'),
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
        echo '<h2>' . esc_html__('What you can do', 'halt-tracker') . '</h2>';
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
                Page::button('act', $label, ['deed' => $deed, 'id' => (string) $one['id']], $deed === 'erase' ? 'button halt-danger' : 'button');
            }
        }
        echo '</div>';
    }

    /** @param array<string,mixed> $one */
    private static function fields(array $one): void
    {
        $rows = [];
        foreach ($one['fields'] ?? [] as $name => $value) {
            $label = (string) ($one['labels'][$name] ?? '');
            $rows[$label !== '' && $label !== (string) $name ? $label . ' (' . $name . ')' : (string) $name] = nl2br(esc_html(self::words($value)));
        }
        echo '<h2>' . esc_html__('What came in', 'halt-tracker') . '</h2>';
        $rows === [] ? print '<p>' . esc_html__('The fields are erased or cannot be opened.', 'halt-tracker') . '</p>' : self::facts($rows);
        if (!empty($one['meta'])) {
            echo '<h3>' . esc_html__('Where it came from', 'halt-tracker') . '</h3>';
            self::facts(array_map(static fn ($value): string => esc_html(self::words($value)), $one['meta']));
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
            echo '<li><strong>' . esc_html((string) $file['name']) . '</strong> ' . esc_html((string) size_format((int) ($file['size'] ?? 0))) . ' <code>' . esc_html((string) ($file['field'] ?? '')) . '</code> ';
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
        echo '<h2>' . esc_html__('Steps', 'halt-tracker') . '</h2><ol class="halt-steps">';
        foreach ($steps as $step) {
            printf(
                '<li><strong>%s</strong> <span class="halt-state halt-step-%s">%s</span> %s %s %s',
                esc_html((string) $step['kind']),
                esc_attr(sanitize_html_class((string) $step['state'])),
                esc_html((string) $step['state']),
                esc_html(trim(($step['tracker_id'] ?? '') . ' ' . ($step['how'] ?? ''))),
                wp_kses_post(Page::code($step['code'] ?? '')),
                esc_html((string) ($step['message'] ?? ''))
            );
            if (!empty($step['sent'])) {
                echo '<details class="halt-details"><summary>' . esc_html__('What is sent', 'halt-tracker') . '</summary><pre class="halt-code-block" tabindex="0">' . esc_html(self::pretty($step['sent'])) . '</pre></details>';
            }
            echo '</li>';
        }
        echo '</ol>';
    }

    /** @param list<array<string,mixed>> $journal */
    private static function journal(array $journal): void
    {
        if ($journal === []) {
            return;
        }
        echo '<h2>' . esc_html__('Journal', 'halt-tracker') . '</h2><div class="halt-scroll" tabindex="0"><table class="widefat striped"><thead><tr>';
        foreach ([__('When', 'halt-tracker'), __('Step', 'halt-tracker'), __('Event', 'halt-tracker'), __('What happened', 'halt-tracker')] as $head) {
            echo '<th scope="col">' . esc_html($head) . '</th>';
        }
        echo '</tr></thead><tbody>';
        foreach ($journal as $line) {
            printf(
                '<tr><td>%s</td><td>%s</td><td>%s</td><td>%s %s</td></tr>',
                esc_html((string) wp_date('Y-m-d H:i:s', (int) (((int) $line['at']) / 1000))),
                esc_html((string) ($line['step'] ?? '')),
                esc_html((string) ($line['event'] ?? '')),
                wp_kses_post(Page::code($line['code'] ?? '')),
                esc_html(self::words($line['message'] ?? ''))
            );
        }
        echo '</tbody></table></div>';
    }

    /** @param array<string,string> $rows Label to escaped HTML. */
    private static function facts(array $rows): void
    {
        echo '<table class="widefat striped halt-facts"><tbody>';
        foreach ($rows as $label => $html) {
            printf('<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html((string) $label), wp_kses_post($html));
        }
        echo '</tbody></table>';
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
