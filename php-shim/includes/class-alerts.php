<?php
/**
 * Mails fixed words when delivery is in trouble, once a day per incident and once when it is over; no personal data is in them.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

use Halt\Tracker\WordPress\Health\Sapis;

defined('ABSPATH') || exit;

/** The signal to people who look at no page. */
final class Alerts
{
    /** Seconds between two looks after a capture. */
    private const PAUSE = 600;

    /** Seconds after which a mail that could not be handed over is tried again: a mailer that fails is not called at every tick. */
    private const AGAIN = HOUR_IN_SECONDS;

    /** Stands among the open incidents while the mail that all is over could not be sent. */
    private const OVER = 'over';

    /** Looks for trouble; called from cron, where nobody waits. */
    public static function look(): void
    {
        try {
            [$found, $is_whole] = self::incidents();
            // What could not be looked at is not over.
            self::compare($found, $is_whole ? [] : self::open());
        } catch (\Throwable) {
            // An alert that cannot be sent must not stop a delivery.
            return;
        }
    }

    /**
     * Looks after a submission was taken, because a cron that is dead cannot report itself. It only adds incidents: the
     * command line and the web may see different things, and only cron's look says that something is over.
     */
    public static function look_after_a_capture(): void
    {
        try {
            $seen = get_option('halt_tracker_alerts_looked', []);
            $seen = is_array($seen) ? $seen : [];
            if (abs(time() - (int) ($seen['at'] ?? 0)) < self::PAUSE) {
                return;
            }
            $told = array_filter((array) ($seen['told'] ?? []), static fn ($at): bool => (int) $at > time() - DAY_IN_SECONDS);
            // Written before looking: of two requests at once, one looks.
            update_option('halt_tracker_alerts_looked', ['at' => time(), 'told' => $told], false);
            $found = array_diff_key(self::incidents()[0], $told);
            if ($found !== []) {
                self::compare($found, self::open());
                // What no mailer has taken is not told.
                $sent = array_filter(array_intersect_key(self::open(), $found), static fn (int $at): bool => $at > time() - DAY_IN_SECONDS + self::AGAIN);
                update_option('halt_tracker_alerts_looked', ['at' => time(), 'told' => $told + $sent], false);
            }
        } catch (\Throwable) {
            return;
        }
    }

    /**
     * What is wrong now, and whether everything could be looked at.
     *
     * @return array{0:array<string,string>,1:bool} Incident to the code that explains it, or to its own word where no code does.
     */
    private static function incidents(): array
    {
        $found = [];
        // Until somebody has dealt with it: a loss does not settle itself.
        if (Lost::seen()['count'] > 0) {
            $found['lost'] = 'HT-1803';
        }
        Sapis::note();
        if (!Engine::ready()) {
            return [$found + ['engine' => Engine::state_code()], false];
        }
        // The command line and the web often run different PHPs: what this one can do says nothing of the other.
        $without = Sapis::without_engine();
        if ($without !== []) {
            $found['engine'] = in_array('absent', $without, true) ? 'HT-1001' : 'HT-1002';
        }
        [$status, $fault] = Engine::try_status();
        if ($status === null) {
            return match ($fault->ht_code ?? 'HT-1115') {
                'HT-1115' => [$found, true],
                // Somebody writes for longer than a look waits, such as a backup. That is no trouble, and no news either.
                'HT-1104' => [$found, false],
                default   => [$found + ['store' => $fault->ht_code], false],
            };
        }
        $stuck = Capture::stuck();
        if ($stuck['left'] > 0) {
            $found['kept'] = $stuck['code'];
        }
        foreach ($status['lane']['reasons'] ?? [] as $reason) {
            $found['lane-' . $reason['reason']] = (string) ($reason['code'] ?? 'HT-1611');
        }
        if ((int) ($status['counts']['attention'] ?? 0) > 0) {
            $found['attention'] = 'attention';
        }
        if ((int) ($status['counts']['failed'] ?? 0) > 0) {
            $found['failed'] = 'failed';
        }
        if ((int) ($status['unmapped'] ?? 0) > 0) {
            $found['unmapped'] = 'unmapped';
        }
        if ((int) ($status['erasing']['count'] ?? 0) > 0) {
            $found['erasing'] = 'erasing';
        }
        if (!empty($status['run']['hangs'])) {
            $found['hangs'] = 'HT-1608';
        }
        if (Pulse::is_left_outside($status)) {
            $found['outside'] = 'outside';
        }
        if (Pulse::is_stalled($status)) {
            // No code of the engine's: it is not called at all.
            $found['stalled'] = '';
        }
        return [$found, true];
    }

    /** The incidents that are open, with the time of their last mail. @return array<string,int> */
    private static function open(): array
    {
        $open = get_option('halt_tracker_alerts', []);
        return is_array($open) ? array_map('intval', array_filter($open, 'is_numeric')) : [];
    }

    /**
     * Mails what is new, or a day old again, and once that all is over.
     *
     * @param array<string,string> $found
     * @param array<string,int>    $after Incidents that stay open, found or not.
     */
    private static function compare(array $found, array $after): void
    {
        $open = self::open();
        unset($after[self::OVER]);
        $lines = [];
        foreach ($found as $incident => $code) {
            $last = $open[$incident] ?? 0;
            if ($last < time() - DAY_IN_SECONDS) {
                $lines[$incident] = self::line($code);
            }
            $after[$incident] = $last;
        }
        $is_over = $open !== [] && $after === [];
        if ($is_over && ($open[self::OVER] ?? 0) > time() - self::AGAIN) {
            return;
        }
        $failed = $is_over ? [self::OVER => time()] : array_fill_keys(array_keys($lines), time() - DAY_IN_SECONDS + self::AGAIN) + $after;
        // Written as if the mail had failed before it is sent: of two looks at once one sends, and a death on the way costs an hour.
        if ($open != $failed) {
            update_option('halt_tracker_alerts', $failed, false);
        }
        if ($lines !== []) {
            $is_sent = self::mail(__('Halt Tracker needs you', 'halt-tracker'), array_values($lines));
        } elseif ($is_over) {
            $is_sent = self::mail(__('Halt Tracker is working again', 'halt-tracker'), [__('Everything that was reported is settled.', 'halt-tracker')]);
        } else {
            return;
        }
        if ($is_sent) {
            update_option('halt_tracker_alerts', array_fill_keys(array_keys($lines), time()) + $after, false);
        }
    }

    private static function line(string $code): string
    {
        if ($code === '') {
            return __('Submissions are received, but the schedule has not run for a long time, and some of them wait. They are kept. Check WP-Cron, or let a real cron call wp-cron.php.', 'halt-tracker');
        }
        if ($code === 'outside') {
            return __('Forms that were kept in the site’s own database have been waiting there for a long time. They are kept, sealed. Check WP-Cron, or let a real cron call wp-cron.php. Run now on the Dashboard takes them over at once.', 'halt-tracker');
        }
        // Each of them has a reason of its own, which the Sync Log names: one code for all would be wrong for most.
        if ($code === 'attention') {
            return __('Submissions need a decision from you. They are kept, and nothing more is sent for them until you have decided. The Sync Log says what each of them needs.', 'halt-tracker');
        }
        if ($code === 'failed') {
            return __('Submissions were refused by Tracker, or given up after a week of trying. They are kept and can be sent again. The Sync Log says why each of them failed.', 'halt-tracker');
        }
        if ($code === 'unmapped') {
            return __('Submissions have been waiting for a day because the mapping does not fit them: a required field is missing (HT-1404), or a value does not fit Tracker’s field (HT-1405). They are kept and looked at again every hour; nothing was sent. Correct the mapping or the form, or discard them.', 'halt-tracker');
        }
        if ($code === 'erasing') {
            return __('Submissions that failed or wait for a decision are about to lose their data: it is kept for 90 days, and less than 14 of them are left. Look at them in the Sync Log now.', 'halt-tracker');
        }
        $row = Messages::of($code);
        $line = $row['title'] . ' (' . $code . '). ' . $row['safe'] . ' ' . $row['next'];
        $without = in_array($code, ['HT-1001', 'HT-1002'], true) ? array_keys(Sapis::without_engine()) : [];
        /* translators: %s: names such as "cli 8.2" */
        return $without === [] ? $line : $line . ' ' . sprintf(__('Seen in this PHP of the server: %s.', 'halt-tracker'), implode(', ', $without));
    }

    /** Whether a mailer has taken it. @param list<string> $lines */
    private static function mail(string $subject, array $lines): bool
    {
        $to = trim(Options::text('alert_email'));
        $to = $to !== '' ? $to : (string) get_option('admin_email');
        try {
            $changed = apply_filters('halt_tracker_alert_recipients', [$to]);
        } catch (\Throwable) {
            $changed = null;
        }
        // A filter that answers with anything but addresses changes nothing.
        $to = is_array($changed) ? array_values(array_filter($changed, 'is_string')) : [$to];
        $lines[] = admin_url('admin.php?page=halt-tracker');
        /* translators: 1: name of the site, 2: what the mail is about */
        return wp_mail($to, sprintf(__('[%1$s] %2$s', 'halt-tracker'), wp_specialchars_decode(get_option('blogname'), ENT_QUOTES), $subject), implode("\n\n", $lines));
    }
}
