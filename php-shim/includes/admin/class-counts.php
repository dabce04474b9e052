<?php
/**
 * The counts of the Dashboard as three cards: what moves by itself, what needs a person, and what is finished.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** Three cards; every state leads to its submissions. */
final class Counts
{
    /** @param array<string,int> $counts By state. */
    public static function render(array $counts): void
    {
        $groups = [
            'you'   => [__('Needs you', 'halt-tracker'), ['attention', 'failed', 'held'], __('Nothing needs you.', 'halt-tracker')],
            'way'   => [__('On the way', 'halt-tracker'), ['queued', 'sending', 'retry', 'checking'], __('Nothing is waiting.', 'halt-tracker')],
            'ended' => [__('Finished', 'halt-tracker'), ['done', 'discarded', 'erased'], __('Nothing is finished yet.', 'halt-tracker')],
        ];
        $labels = Messages::states();
        echo '<h2 class="screen-reader-text">' . esc_html__('Submissions', 'halt-tracker') . '</h2><div class="halt-counts">';
        foreach ($groups as $name => [$title, $states, $nothing]) {
            $mine = array_filter(array_intersect_key(array_map('intval', $counts), array_flip($states)));
            $sum  = array_sum($mine);
            printf(
                '<section class="halt-count halt-count-%s%s"><h3>%s</h3><p class="halt-number">%s</p>',
                esc_attr($name),
                $sum > 0 ? ' halt-some' : '',
                esc_html($title),
                esc_html(number_format_i18n($sum))
            );
            if ($mine === []) {
                echo '<p class="halt-quiet">' . esc_html($nothing) . '</p></section>';
                continue;
            }
            echo '<ul>';
            foreach (array_intersect($states, array_keys($mine)) as $state) {
                printf(
                    '<li><a href="%s">%s</a> <strong>%s</strong></li>',
                    esc_url(Menu::url(Menu::SYNC_LOG, ['state' => $state])),
                    esc_html($labels[$state]),
                    esc_html(number_format_i18n($mine[$state]))
                );
            }
            echo '</ul></section>';
        }
        echo '</div>';
    }
}
