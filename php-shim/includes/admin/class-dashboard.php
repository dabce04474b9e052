<?php
/**
 * The Dashboard: it answers "is it working?" in one sentence and offers the one button that helps.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Capture;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Relay;

defined('ABSPATH') || exit;

/** Rendering only. No call goes out to Tracker from this page unless a button says so. */
final class Dashboard
{
    /** The page. */
    public static function render(): void
    {
        if (!current_user_can(Capabilities::VIEW)) {
            wp_die(esc_html__('You are not allowed to see this page.', 'halt-tracker'), '', ['response' => 403]);
        }
        [$status, $fault] = Engine::try_status();
        Page::open(__('Halt Tracker Dashboard', 'halt-tracker'));
        self::sentence($status, $fault);
        if ($status !== null) {
            self::buttons();
            self::pauses($status);
            self::counts($status);
            self::times($status);
        } elseif (!Engine::ready()) {
            Recipe::render();
        } else {
            self::store_trouble($fault);
        }
        self::captured();
        Page::close();
    }

    /**
     * Is it working?
     *
     * @param array<string,mixed>|null $status
     */
    private static function sentence(?array $status, ?EngineException $fault): void
    {
        [$mood, $text] = self::verdict($status, $fault);
        printf('<div class="halt-verdict halt-verdict-%s" role="status"><p>%s</p></div>', esc_attr($mood), esc_html($text));
    }

    /**
     * @param array<string,mixed>|null $status
     * @return array{0:string,1:string}
     */
    private static function verdict(?array $status, ?EngineException $fault): array
    {
        if ($status === null) {
            if ($fault === null || $fault->ht_code === 'HT-1115') {
                return ['calm', __('Ready. Nothing has arrived yet: submit a form, or enter the credentials under Settings.', 'halt-tracker')];
            }
            return ['bad', Messages::title($fault->ht_code) . '. ' . Messages::of($fault->ht_code)['safe']];
        }
        $reasons = $status['lane']['reasons'] ?? [];
        if ($reasons !== []) {
            /* translators: %s: the reason, a sentence */
            return ['bad', sprintf(__('Submissions are received and kept, but sending is paused: %s', 'halt-tracker'), Messages::of((string) ($reasons[0]['code'] ?? 'HT-1611'))['title'] . '.')];
        }
        if (!empty($status['run']['hangs'])) {
            return ['bad', Messages::of('HT-1608')['what']];
        }
        $open = (int) ($status['counts']['attention'] ?? 0) + (int) ($status['counts']['failed'] ?? 0);
        if ($open > 0) {
            /* translators: %s: number of submissions */
            return ['warn', sprintf(_n('It works, and %s submission needs you.', 'It works, and %s submissions need you.', $open, 'halt-tracker'), number_format_i18n($open))];
        }
        $beat = (int) (($status['heartbeat'] ?? 0) / 1000);
        if ($beat > 0 && $beat < time() - 3 * 1800) {
            /* translators: %s: a time span */
            return ['warn', sprintf(__('Submissions are received, but nothing was processed for %s. Check WP-Cron.', 'halt-tracker'), human_time_diff($beat))];
        }
        $left = (int) ($status['left'] ?? 0);
        if ($left > 0) {
            /* translators: %s: number of submissions */
            return ['good', sprintf(_n('It works. %s submission is on its way.', 'It works. %s submissions are on their way.', $left, 'halt-tracker'), number_format_i18n($left))];
        }
        return ['good', __('It works. Everything that has arrived is delivered.', 'halt-tracker')];
    }

    private static function buttons(): void
    {
        if (!current_user_can(Capabilities::MANAGE)) {
            return;
        }
        echo '<div class="halt-buttons">';
        Page::button('run', __('Run now', 'halt-tracker'), [], 'button button-primary');
        Page::button('test', __('Test connection', 'halt-tracker'));
        echo '</div><p class="description">' . esc_html__('Run now works for up to 20 seconds and then comes back here. Test connection asks Tracker whether the credentials work.', 'halt-tracker') . '</p>';
    }

    /** @param array<string,mixed> $status */
    private static function pauses(array $status): void
    {
        foreach ($status['lane']['reasons'] ?? [] as $reason) {
            $code = (string) ($reason['code'] ?? 'HT-1611');
            $row  = Messages::of($code);
            echo '<div class="halt-card halt-card-alert"><h2>' . esc_html(Messages::title($code)) . '</h2>';
            /* translators: %s: a time span such as "3 minutes ago" */
            echo '<p>' . esc_html($row['what'] . ' ' . $row['safe']) . ' ' . esc_html(sprintf(__('Since %s.', 'halt-tracker'), Page::ago($reason['since'] ?? null))) . '</p>';
            if (($reason['detail'] ?? '') !== '') {
                echo '<p class="description">' . esc_html((string) $reason['detail']) . '</p>';
            }
            if (current_user_can(Capabilities::MANAGE)) {
                self::cure((string) $reason['reason']);
            }
            echo '</div>';
        }
    }

    /** The one button that helps. */
    private static function cure(string $reason): void
    {
        match ($reason) {
            'credentials' => self::link(__('Enter credentials', 'halt-tracker'), Menu::url(Menu::SETTINGS, ['tab' => 'connection'])),
            'endpoint'    => Page::button('test', __('Test connection', 'halt-tracker'), [], 'button button-primary'),
            'restored'    => Page::button('lane', __('Confirm: look everything up, then go on', 'halt-tracker'), ['do' => 'confirm_restore'], 'button button-primary'),
            'key'         => self::link(__('See where the key file belongs', 'halt-tracker'), admin_url('site-health.php?tab=debug')),
            default       => Page::button('lane', __('Resume', 'halt-tracker'), ['do' => 'resume', 'reason' => $reason], 'button button-primary'),
        };
    }

    private static function link(string $label, string $url): void
    {
        printf('<p><a class="button button-primary" href="%s">%s</a></p>', esc_url($url), esc_html($label));
    }

    /** @param array<string,mixed> $status */
    private static function counts(array $status): void
    {
        echo '<h2>' . esc_html__('Submissions', 'halt-tracker') . '</h2><ul class="halt-counts">';
        foreach (Messages::states() as $state => $label) {
            $count = (int) ($status['counts'][$state] ?? 0);
            printf(
                '<li class="%s"><a href="%s"><strong>%s</strong> <span>%s</span></a></li>',
                esc_attr($count > 0 ? 'halt-some halt-count-' . $state : 'halt-none'),
                esc_url(Menu::url(Menu::SYNC_LOG, ['state' => $state])),
                esc_html(number_format_i18n($count)),
                esc_html($label)
            );
        }
        echo '</ul>';
    }

    /** @param array<string,mixed> $status */
    private static function times(array $status): void
    {
        $oldest = $status['oldest_waiting'] ?? null;
        $next   = wp_next_scheduled(Relay::HOOK);
        $own    = defined('DISABLE_WP_CRON') && DISABLE_WP_CRON;
        $late   = $next && $next < time() - 60 ? ' ' . sprintf(/* translators: %s: a time span */ __('(%s late)', 'halt-tracker'), human_time_diff($next)) : '';
        $last   = $status['last_run'] ?? [];
        $rows   = [
            __('Oldest waiting', 'halt-tracker') => is_array($oldest) ? Page::ago($oldest['received_at'] ?? null) : __('none', 'halt-tracker'),
            __('Last run', 'halt-tracker')       => isset($last['started_at']) ? Page::ago($last['started_at']) . ' (' . ($last['caller'] ?? '') . ')' : __('none yet', 'halt-tracker'),
            __('Next run', 'halt-tracker')       => $next ? Page::time($next * 1000) . $late . ($own ? ' – ' . __('by your server’s cron', 'halt-tracker') : '') : __('not scheduled', 'halt-tracker'),
            __('Last sign of life', 'halt-tracker') => Page::ago($status['heartbeat'] ?? null),
        ];
        if (!empty($status['lane']['not_before'])) {
            $rows[__('Waits until', 'halt-tracker')] = Page::time($status['lane']['not_before']);
        }
        if (!empty($status['run']['held'])) {
            /* translators: 1: caller such as "cron", 2: process id, 3: a time span such as "2 minutes ago" */
            $rows[__('Running now', 'halt-tracker')] = sprintf(__('%1$s, process %2$d, since %3$s', 'halt-tracker'), (string) ($status['run']['caller'] ?? ''), (int) ($status['run']['pid'] ?? 0), Page::ago($status['run']['since'] ?? null));
        }
        $skew = (int) ($status['clock_skew_ms'] ?? 0);
        if (abs($skew) > 60000) {
            /* translators: %d: seconds */
            $rows[__('Clock', 'halt-tracker')] = sprintf(__('This server’s clock differs from Tracker’s by %d seconds.', 'halt-tracker'), (int) ($skew / 1000));
        }
        echo '<h2>' . esc_html__('Runs', 'halt-tracker') . '</h2><table class="widefat striped halt-facts"><tbody>';
        foreach ($rows as $label => $value) {
            printf('<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html($label), esc_html($value));
        }
        echo '</tbody></table>';
    }

    /** The store cannot be used: what happened, and the ways out that exist. */
    private static function store_trouble(?EngineException $fault): void
    {
        if ($fault === null || $fault->ht_code === 'HT-1115') {
            echo '<p><a class="button button-primary" href="' . esc_url(Menu::url(Menu::SETTINGS)) . '">' . esc_html__('Enter credentials', 'halt-tracker') . '</a></p>';
            return;
        }
        Page::explain($fault->ht_code);
        $dir = Places::known_data_dir();
        /* translators: 1: path of a folder, 2: a number */
        echo '<p>' . esc_html(sprintf(__('Data folder: %1$s (inode %2$d)', 'halt-tracker'), $dir, (int) @fileinode($dir))) . '</p>';
        if ($fault->getMessage() !== '') {
            echo '<p class="description">' . esc_html($fault->getMessage()) . '</p>';
        }
        if (!current_user_can('manage_options') || !in_array($fault->ht_code, ['HT-1105', 'HT-1106'], true)) {
            return;
        }
        echo '<div class="halt-buttons">';
        if ($fault->ht_code === 'HT-1105') {
            Page::button('whose', __('This is a copy', 'halt-tracker'), ['do' => 'copy']);
            Page::button('whose', __('This site has moved', 'halt-tracker'), ['do' => 'moved']);
        } else {
            Page::button('whose', __('Start a new store', 'halt-tracker'), ['do' => 'new']);
        }
        echo '</div>';
    }

    private static function captured(): void
    {
        $count = Capture::count();
        if ($count > 0) {
            /* translators: %s: number of forms */
            Page::notice('warning', sprintf(_n('%s form was kept in the site’s own database. It is taken over by the next run.', '%s forms were kept in the site’s own database. They are taken over by the next run.', $count, 'halt-tracker'), number_format_i18n($count)));
        }
    }
}
