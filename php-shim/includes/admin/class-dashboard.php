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
use Halt\Tracker\WordPress\Health\Sapis;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Pulse;
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
        if (Input::query('help') !== '') {
            Help::render(Input::query('help'));
            return;
        }
        [$status, $fault] = Engine::try_status();
        // A missing engine is what the sentence is about; a notice above it would say it twice.
        Page::open(__('Halt Tracker Dashboard', 'halt-tracker'), Engine::ready());
        self::sentence($status, $fault);
        Outside::render();
        EarlierCard::render($status);
        if ($status !== null) {
            Pauses::render($status);
            $none = array_sum($status['counts'] ?? []) === 0;
            if ($none || Input::query('guide') !== '') {
                Guide::render($status);
            }
            if (!$none) {
                Counts::render($status['counts'] ?? []);
            }
            self::times($status);
        } elseif (!Engine::ready()) {
            Recipe::render();
        } elseif ($fault === null || $fault->ht_code === 'HT-1115') {
            Guide::render(null);
        } else {
            StoreTrouble::render($fault);
        }
        Page::close();
    }

    /**
     * Is it working? A word, a sentence, and the buttons for the whole.
     *
     * @param array<string,mixed>|null $status
     */
    private static function sentence(?array $status, ?EngineException $fault): void
    {
        [$mood, $text] = self::verdict($status, $fault);
        if ($mood === 'good' && Capture::stuck()['left'] > 0) {
            [$mood, $text] = ['warn', __('Submissions are received and sent, but a form that was kept outside the store could not be taken over.', 'halt-tracker')];
        }
        $without = array_keys(Sapis::without_engine());
        if ($mood === 'good' && $without !== []) {
            /* translators: %s: names such as "cli 8.2" */
            [$mood, $text] = ['warn', sprintf(__('It works here, but another PHP of this server runs without the engine: %s. What arrives there is kept, and a cron that runs on it delivers nothing.', 'halt-tracker'), implode(', ', $without))];
        }
        $words         = [
            'calm' => __('Ready', 'halt-tracker'),
            'good' => __('Working', 'halt-tracker'),
            'warn' => __('Needs attention', 'halt-tracker'),
            'bad'  => Engine::ready() ? __('Not sending', 'halt-tracker') : __('Not running', 'halt-tracker'),
        ];
        printf(
            '<div class="halt-verdict halt-verdict-%1$s"><p role="status"><strong class="halt-mood">%2$s</strong> <span>%3$s</span></p>',
            esc_attr($mood),
            esc_html($words[$mood]),
            esc_html($text)
        );
        if ($status !== null) {
            // While sending is paused, the button that helps stands beside the reason.
            self::buttons(($status['lane']['reasons'] ?? []) === []);
        } elseif ($fault !== null && $fault->ht_code !== 'HT-1115') {
            Page::three($fault->ht_code);
        }
        echo '</div>';
    }

    /**
     * @param array<string,mixed>|null $status
     * @return array{0:string,1:string}
     */
    private static function verdict(?array $status, ?EngineException $fault): array
    {
        if ($status === null) {
            if ($fault === null || $fault->ht_code === 'HT-1115') {
                return ['calm', __('Forms and webhooks can arrive; nothing has arrived yet. Connect Tracker in the steps below.', 'halt-tracker')];
            }
            return ['bad', Messages::title($fault->ht_code) . '.'];
        }
        $reasons = $status['lane']['reasons'] ?? [];
        if ($reasons !== []) {
            $code = (string) ($reasons[0]['code'] ?? 'HT-1611');
            if ($code === 'HT-1611') {
                return ['bad', __('Submissions are received and kept, but somebody paused sending.', 'halt-tracker')];
            }
            /* translators: %s: the reason, a sentence */
            return ['bad', sprintf(__('Submissions are received and kept, but sending is paused: %s', 'halt-tracker'), Messages::of($code)['title'] . '.')];
        }
        if (!empty($status['run']['hangs'])) {
            return ['bad', Messages::of('HT-1608')['what']];
        }
        $open = array_sum(array_intersect_key($status['counts'] ?? [], ['attention' => 0, 'failed' => 0, 'held' => 0]));
        if ($open > 0) {
            /* translators: %s: number of submissions */
            return ['warn', sprintf(_n('It works, and %s submission needs you.', 'It works, and %s submissions need you.', $open, 'halt-tracker'), number_format_i18n($open))];
        }
        if (Pulse::is_late($status)) {
            /* translators: %s: a time span */
            return ['warn', sprintf(__('Submissions are received, but the schedule has not run for %s, so what has to wait is not tried again. Check WP-Cron.', 'halt-tracker'), human_time_diff(Pulse::last($status)))];
        }
        $left    = (int) ($status['left'] ?? 0);
        $outside = Capture::count();
        if ($left === 0 && $outside > 0) {
            /* translators: %s: number of forms */
            $text = _n('%s form was kept outside the store and is not delivered yet.', '%s forms were kept outside the store and are not delivered yet.', $outside, 'halt-tracker');
            return [Pulse::is_left_outside($status) ? 'warn' : 'good', sprintf($text, number_format_i18n($outside))];
        }
        if (array_sum($status['counts'] ?? []) === 0) {
            return ['calm', __('Forms and webhooks can arrive; nothing has arrived yet.', 'halt-tracker')];
        }
        if ($left > 0) {
            /* translators: %s: number of submissions */
            return ['good', sprintf(_n('It works. %s submission is on its way.', 'It works. %s submissions are on their way.', $left, 'halt-tracker'), number_format_i18n($left))];
        }
        return ['good', __('It works. Everything that has arrived is delivered.', 'halt-tracker')];
    }

    private static function buttons(bool $open): void
    {
        if (!current_user_can(Capabilities::MANAGE)) {
            return;
        }
        echo '<div class="halt-buttons">';
        printf(
            '<form method="post" class="halt-inline" action="%s" data-halt-run="%s" data-nonce="%s" data-busy="%s" data-progress="%s">',
            esc_url(admin_url('admin-post.php')),
            esc_url(rest_url('halt-tracker/v1/run')),
            esc_attr(wp_create_nonce('wp_rest')),
            esc_attr__('Sending…', 'halt-tracker'),
            /* translators: 1: number delivered, 2: number left */
            esc_attr__('%1$s delivered, %2$s left …', 'halt-tracker')
        );
        Page::guard('run');
        printf('<button type="submit" class="button%s">%s</button></form>', $open ? ' button-primary' : '', esc_html__('Run now', 'halt-tracker'));
        Page::button('test', __('Test connection', 'halt-tracker'));
        if (Input::query('guide') === '') {
            printf('<a class="button" href="%s">%s</a>', esc_url(Menu::url(Menu::DASHBOARD, ['guide' => '1']) . '#halt-guide'), esc_html__('Send a marked test', 'halt-tracker'));
        }
        echo '</div><p class="halt-quiet" id="halt-run-says" role="status">' . esc_html__('Run now sends what is waiting. Test connection asks Tracker whether the credentials work; nothing is sent.', 'halt-tracker') . '</p>';
    }

    /** @param array<string,mixed> $status */
    private static function times(array $status): void
    {
        $oldest = $status['oldest_waiting'] ?? null;
        $next   = wp_next_scheduled(Relay::HOOK);
        $own    = defined('DISABLE_WP_CRON') && DISABLE_WP_CRON;
        $late   = $next && $next < time() ? ' ' . sprintf(/* translators: %s: a time span */ __('(%s late)', 'halt-tracker'), human_time_diff($next)) : '';
        $last   = $status['last_run'] ?? [];
        $none   = esc_html__('none', 'halt-tracker');
        $rows   = [
            __('Oldest waiting submission', 'halt-tracker') => is_array($oldest) ? Page::moment($oldest['received_at'] ?? null) : $none,
            __('Last run', 'halt-tracker') => isset($last['started_at']) ? Page::moment($last['started_at']) . ' – ' . esc_html(Words::caller((string) ($last['caller'] ?? ''))) : esc_html__('none yet', 'halt-tracker'),
            __('Next run', 'halt-tracker') => $next ? ($late === '' ? Page::moment($next * 1000) : esc_html(Page::time($next * 1000) . $late)) . ($own ? ' – ' . esc_html__('by your server’s cron', 'halt-tracker') : '') : esc_html__('not scheduled', 'halt-tracker'),
            __('Last sign of life', 'halt-tracker') => Page::moment($status['heartbeat'] ?? null),
        ];
        if (!empty($status['lane']['not_before'])) {
            $rows[__('Sending waits until', 'halt-tracker')] = Page::moment($status['lane']['not_before']) . ' – ' . esc_html(Messages::of('HT-1614')['what']);
        }
        if (!empty($status['run']['held'])) {
            /* translators: 1: who started the run, such as "by the schedule", 2: process id, 3: a time span such as "2 minutes ago" */
            $rows[__('Running now', 'halt-tracker')] = esc_html(sprintf(__('started %1$s, process %2$d, %3$s', 'halt-tracker'), Words::caller((string) ($status['run']['caller'] ?? '')), (int) ($status['run']['pid'] ?? 0), Page::ago($status['run']['since'] ?? null)));
        }
        $skew = (int) ($status['clock_skew_ms'] ?? 0);
        if (abs($skew) > 60000) {
            /* translators: %d: seconds */
            $rows[__('Clock', 'halt-tracker')] = esc_html(sprintf(__('This server’s clock differs from Tracker’s by %d seconds.', 'halt-tracker'), (int) ($skew / 1000)));
        }
        echo '<h2>' . esc_html__('When it runs', 'halt-tracker') . '</h2>';
        Page::facts($rows);
        printf('<p><a href="%s">%s</a></p>', esc_url(Menu::url(Menu::SYNC_LOG)), esc_html__('See the last runs and every submission in the Sync Log', 'halt-tracker'));
    }
}
