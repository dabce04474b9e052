<?php
/**
 * Mails fixed words when delivery is in trouble, once a day per incident and once when it is over; no personal data is in them.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The signal to people who look at no page. */
final class Alerts
{
    /** Looks for trouble; called from cron, where nobody waits. */
    public static function look(): void
    {
        try {
            self::compare(self::incidents());
        } catch (\Throwable) {
            // An alert that cannot be sent must not stop a delivery.
            return;
        }
    }

    /** @return array<string,string> Incident to the code that explains it. */
    private static function incidents(): array
    {
        if (!Engine::ready()) {
            return ['engine' => Engine::state_code()];
        }
        [$status, $fault] = Engine::try_status();
        if ($status === null) {
            return $fault === null || $fault->ht_code === 'HT-1115' ? [] : ['store' => $fault->ht_code];
        }
        $found = [];
        foreach ($status['lane']['reasons'] ?? [] as $reason) {
            $found['lane-' . $reason['reason']] = (string) ($reason['code'] ?? 'HT-1611');
        }
        if ((int) ($status['counts']['attention'] ?? 0) > 0) {
            $found['attention'] = 'HT-1603';
        }
        if ((int) ($status['counts']['failed'] ?? 0) > 0) {
            $found['failed'] = 'HT-1606';
        }
        if (!empty($status['run']['hangs'])) {
            $found['hangs'] = 'HT-1608';
        }
        $lost = get_option('halt_tracker_lost', []);
        if (is_array($lost) && (int) ($lost['last_at'] ?? 0) > time() - DAY_IN_SECONDS) {
            $found['lost'] = 'HT-1803';
        }
        return $found;
    }

    /** @param array<string,string> $found */
    private static function compare(array $found): void
    {
        $open  = get_option('halt_tracker_alerts', []);
        $open  = is_array($open) ? $open : [];
        $after = [];
        $lines = [];
        foreach ($found as $incident => $code) {
            $last = (int) ($open[$incident] ?? 0);
            if ($last < time() - DAY_IN_SECONDS) {
                $row     = Messages::of($code);
                $lines[] = $row['title'] . ' (' . $code . '). ' . $row['safe'] . ' ' . $row['next'];
                $last    = time();
            }
            $after[$incident] = $last;
        }
        if ($open !== $after) {
            update_option('halt_tracker_alerts', $after, false);
        }
        if ($lines !== []) {
            self::mail(__('Halt Tracker needs you', 'halt-tracker'), $lines);
        } elseif ($open !== [] && $after === []) {
            self::mail(__('Halt Tracker is working again', 'halt-tracker'), [__('Everything that was reported is settled.', 'halt-tracker')]);
        }
    }

    /** @param list<string> $lines */
    private static function mail(string $subject, array $lines): void
    {
        $to = trim(Options::text('alert_email'));
        $to = $to !== '' ? $to : (string) get_option('admin_email');
        try {
            $to = apply_filters('halt_tracker_alert_recipients', [$to]);
        } catch (\Throwable) {
            $to = [$to];
        }
        $lines[] = admin_url('admin.php?page=halt-tracker');
        /* translators: 1: name of the site, 2: what the mail is about */
        wp_mail($to, sprintf(__('[%1$s] %2$s', 'halt-tracker'), wp_specialchars_decode(get_option('blogname'), ENT_QUOTES), $subject), implode("\n\n", $lines));
    }
}
