<?php
/**
 * Checks whether submissions move: the schedule, the oldest one, those that need a person, the credentials and the clock.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

use Halt\Tracker\WordPress\Health;
use Halt\Tracker\WordPress\Pulse;
use Halt\Tracker\WordPress\Relay;

defined('ABSPATH') || exit;

/** Each check gives status, headline and text. */
final class Work
{
    /** Seconds after which a submission that still waits is worth a look, and after which something is wrong. */
    private const LONG     = HOUR_IN_SECONDS;
    private const TOO_LONG = DAY_IN_SECONDS;

    /** Seconds by which clocks may differ; webhook senders have 300 before they are refused. */
    private const SKEW     = 60;
    private const TOO_MUCH = 300;

    /** Younger than three times the interval at which cron really comes. @return array{0:string,1:string,2:string} */
    public static function heartbeat(): array
    {
        $status = Health::status()[0];
        if (Pulse::is_late($status)) {
            $text = Pulse::beat($status) > 0
                /* translators: %s: a time span such as "3 hours" */
                ? __('The last run of the schedule was %s ago. What cannot be sent right after a visitor’s answer waits. Check WP-Cron, or let a real cron call wp-cron.php.', 'halt-tracker')
                /* translators: %s: a time span such as "3 hours" */
                : __('The schedule never ran, and should have for %s. What cannot be sent right after a visitor’s answer waits. Check WP-Cron, or let a real cron call wp-cron.php.', 'halt-tracker');
            return ['critical', __('The schedule does not run', 'halt-tracker'), sprintf($text, human_time_diff(Pulse::last($status)))];
        }
        if (!wp_next_scheduled(Relay::HOOK)) {
            return ['critical', __('The cron event is missing', 'halt-tracker'), __('It is put back when an administrator opens any page, or when the next submission arrives.', 'halt-tracker')];
        }
        $interval = Pulse::interval($status);
        /* translators: %s: a time span such as "5 minutes" */
        $text = $interval > 0 ? sprintf(__('The cron event is scheduled. So far it has come about every %s.', 'halt-tracker'), human_time_diff(time() - $interval)) : __('The cron event is scheduled.', 'halt-tracker');
        return ['good', __('Submissions are processed regularly', 'halt-tracker'), $text];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function waiting(): array
    {
        $since = intdiv((int) (Health::status()[0]['oldest_waiting']['received_at'] ?? 0), 1000);
        if ($since > 0 && $since < time() - self::LONG) {
            /* translators: %s: a time span such as "3 hours" */
            $title = sprintf(__('A submission has been waiting for %s', 'halt-tracker'), human_time_diff($since));
            return [$since < time() - self::TOO_LONG ? 'critical' : 'recommended', $title, __('It is kept. The Sync Log says what it waits for.', 'halt-tracker')];
        }
        return ['good', __('No submission has been waiting for long', 'halt-tracker'), ''];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function decisions(): array
    {
        $counts = Health::status()[0]['counts'] ?? [];
        $open   = (int) ($counts['attention'] ?? 0) + (int) ($counts['failed'] ?? 0);
        if ($open > 0) {
            /* translators: %s: number of submissions */
            return ['recommended', sprintf(_n('%s submission needs you', '%s submissions need you', $open, 'halt-tracker'), number_format_i18n($open)), __('They are kept for 90 days. The Sync Log says what each of them needs.', 'halt-tracker')];
        }
        return ['good', __('No submission needs a decision', 'halt-tracker'), ''];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function credentials(): array
    {
        $status = Health::status()[0];
        foreach ($status['lane']['reasons'] ?? [] as $reason) {
            if ($reason['reason'] === 'credentials') {
                return Health::by_code((string) ($reason['code'] ?? 'HT-1504'), 'critical');
            }
        }
        $set = array_column(array_filter($status['secrets'] ?? [], static fn (array $one): bool => !empty($one['set'])), 'name');
        if ($status !== null && !in_array('api_token', $set, true) && array_diff(['client_secret', 'refresh_token'], $set) !== []) {
            return ['recommended', __('Tracker is not connected yet', 'halt-tracker'), __('Submissions are received and kept. Enter the credentials under Settings, Connection.', 'halt-tracker')];
        }
        return ['good', __('No trouble with the credentials', 'halt-tracker'), __('Test connection on the Dashboard asks Tracker itself.', 'halt-tracker')];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function clock(): array
    {
        $skew = Health::status()[0]['clock_skew_ms'] ?? null;
        $off  = is_numeric($skew) ? (int) abs($skew / 1000) : 0;
        if ($off > self::SKEW) {
            /* translators: %d: number of seconds */
            $title = sprintf(_n('This server’s clock is wrong by about %d second', 'This server’s clock is wrong by about %d seconds', $off, 'halt-tracker'), $off);
            return [$off > self::TOO_MUCH ? 'critical' : 'recommended', $title, __('It was compared with Tracker’s. Webhook requests are refused when clocks differ by more than 300 seconds. Ask your host to set the clock by NTP.', 'halt-tracker')];
        }
        return ['good', is_numeric($skew) ? __('The clock is right', 'halt-tracker') : __('The clock was not compared yet', 'halt-tracker'), __('It is compared with Tracker’s at every answer.', 'halt-tracker')];
    }
}
