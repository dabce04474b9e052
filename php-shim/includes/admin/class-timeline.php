<?php
/**
 * The journal of a submission as a timeline that reads from top to bottom.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** One line for each event, grouped by day. */
final class Timeline
{
    private const GOOD = ['created', 'found', 'done', 'already there', 'applied'];
    private const BAD  = ['refused', 'answer lost', 'attention', 'failed', 'late twin', 'run ended abruptly'];

    /** @param list<array<string,mixed>> $journal */
    public static function render(array $journal): void
    {
        if ($journal === []) {
            return;
        }
        echo '<h2>' . esc_html__('Journal: what happened, step by step', 'halt-tracker') . '</h2>';
        $day = '';
        foreach ($journal as $line) {
            $at    = (int) (((int) $line['at']) / 1000);
            $today = (string) wp_date(get_option('date_format'), $at);
            if ($today !== $day) {
                echo ($day !== '' ? '</ol>' : '') . '<h3 class="halt-day">' . esc_html($today) . '</h3><ol class="halt-timeline">';
                $day = $today;
            }
            self::line($line, $at);
        }
        echo '</ol>';
    }

    /** @param array<string,mixed> $line */
    private static function line(array $line, int $at): void
    {
        $event = (string) ($line['event'] ?? '');
        $step  = (string) ($line['step'] ?? '');
        $code  = (string) ($line['code'] ?? '');
        $mood  = in_array($event, self::BAD, true) ? 'bad' : (in_array($event, self::GOOD, true) ? 'good' : 'plain');
        // "Look for an existing record: looked in Tracker" says it twice.
        $what  = $step !== '' && $step !== 'find' ? Words::step($step) . ' – ' . Words::event($event) : Words::event($event);
        $said  = Words::outcome('', is_scalar($line['message'] ?? '') ? (string) ($line['message'] ?? '') : '');
        printf(
            '<li class="halt-event-%s"><span class="halt-at">%s</span> <div><strong>%s</strong>%s%s</div></li>',
            esc_attr($mood),
            // Seconds, because the steps of one run follow each other within one minute.
            esc_html((string) wp_date('H:i:s', $at)),
            esc_html($what),
            $said !== '' ? ' <span>' . esc_html($said) . '</span>' : '',
            $code !== '' ? '<br><span class="halt-quiet">' . esc_html(Messages::title($code)) . '</span>' : ''
        );
    }
}
