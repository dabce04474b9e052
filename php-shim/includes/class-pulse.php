<?php
/**
 * Says since when nothing was processed, so that a schedule that never ran at all is seen like one that has stopped.
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
     * The last sign of life; where there never was a run, the receipt of what has waited longest. 0 when there is neither.
     *
     * @param array<string,mixed>|null $status
     */
    public static function last(?array $status): int
    {
        $beat = self::beat($status);
        return $beat > 0 ? $beat : self::oldest($status);
    }

    /** When a run last gave a sign of life, 0 for never. @param array<string,mixed>|null $status */
    public static function beat(?array $status): int
    {
        return max(0, intdiv((int) ($status['heartbeat'] ?? 0), 1000));
    }

    /** Whether nothing was processed for too long. @param array<string,mixed>|null $status */
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

    /** @param array<string,mixed>|null $status */
    private static function oldest(?array $status): int
    {
        $oldest = $status['oldest_waiting'] ?? null;
        return is_array($oldest) ? max(0, intdiv((int) ($oldest['received_at'] ?? 0), 1000)) : 0;
    }
}
