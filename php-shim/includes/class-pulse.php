<?php
/**
 * Says since when the schedule is silent, so that one that never ran at all is seen like one that has stopped.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Reads the engine's status; it asks nobody. */
final class Pulse
{
    /** Some hosts run cron every half an hour only; three times that is too long, as long as nothing better is known. */
    private const PATIENCE = 3 * 1800;

    /** Less than this is no reason to worry anybody, however often cron has come. */
    private const LEAST = 15 * 60;

    /** Seconds after which silence is too long: three times the interval that was observed. @param array<string,mixed>|null $status */
    public static function patience(?array $status): int
    {
        $interval = self::interval($status);
        return $interval > 0 ? max(self::LEAST, 3 * $interval) : self::PATIENCE;
    }

    /** How many seconds lie between two runs of cron, as it was observed; 0 while that is not known. @param array<string,mixed>|null $status */
    public static function interval(?array $status): int
    {
        return max(0, intdiv((int) ($status['interval'] ?? 0), 1000));
    }

    /**
     * When the schedule last ran; where it never did, since when it is overdue, or the receipt of what has waited longest. 0
     * when there is none of them.
     *
     * @param array<string,mixed>|null $status
     */
    public static function last(?array $status): int
    {
        $beat = self::beat($status);
        if ($beat > 0) {
            return $beat;
        }
        $due   = (int) wp_next_scheduled(Relay::HOOK);
        $since = array_filter([self::oldest($status), $due < time() ? $due : 0]);
        return $since === [] ? 0 : min($since);
    }

    /**
     * When the schedule last ran, 0 for never. Runs after a visitor's answer do not count: they go on while cron is dead, and
     * what has to wait is then tried again by nobody. An engine that does not tell them apart is believed.
     *
     * @param array<string,mixed>|null $status
     */
    public static function beat(?array $status): int
    {
        $at = array_key_exists('scheduled_at', $status ?? []) ? $status['scheduled_at'] : ($status['heartbeat'] ?? null);
        return max(0, intdiv((int) $at, 1000));
    }

    /** Whether the schedule has been silent for too long. @param array<string,mixed>|null $status */
    public static function is_late(?array $status): bool
    {
        $last = self::last($status);
        return $last > 0 && $last < time() - self::patience($status);
    }

    /**
     * Whether something waits in vain: a quiet night followed by a form is no trouble, since visits drive WP-Cron.
     *
     * @param array<string,mixed>|null $status
     */
    public static function is_stalled(?array $status): bool
    {
        $oldest = self::oldest($status);
        return self::is_late($status) && $oldest > 0 && $oldest < time() - self::patience($status) && (int) ($status['left'] ?? 0) > 0;
    }

    /** Whether a form that was kept outside the store waits there in vain: the next run should have taken it over. @param array<string,mixed>|null $status */
    public static function is_left_outside(?array $status): bool
    {
        $oldest = Capture::oldest();
        return $oldest > 0 && $oldest < time() - self::patience($status);
    }

    /** @param array<string,mixed>|null $status */
    private static function oldest(?array $status): int
    {
        $oldest = $status['oldest_waiting'] ?? null;
        return is_array($oldest) ? max(0, intdiv((int) ($oldest['received_at'] ?? 0), 1000)) : 0;
    }
}
