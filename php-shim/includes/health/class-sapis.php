<?php
/**
 * Remembers what state the engine had in each PHP of this server, because the command line and the web often run different ones.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

use Halt\Tracker\WordPress\Engine;

defined('ABSPATH') || exit;

/** One small option, written when something changed and once an hour. */
final class Sapis
{
    private const NAME = 'halt_tracker_engines';

    /** Seconds after which a PHP that was not seen again is forgotten. */
    private const FORGET = 30 * DAY_IN_SECONDS;

    /** Seconds after which a note is written anew, though nothing has changed. */
    private const FRESH = HOUR_IN_SECONDS;

    /** Notes this PHP. Called where nobody waits: by our own pages, by cron, on the command line, and after a form was taken. */
    public static function note(): void
    {
        try {
            $seen  = self::seen();
            $here  = self::here();
            $state = Engine::state();
            $mine  = $seen[$here] ?? null;
            if ($mine !== null && $mine['state'] === $state && $mine['at'] > time() - self::FRESH) {
                return;
            }
            $seen        = array_filter($seen, static fn (array $one): bool => $one['at'] > time() - self::FORGET);
            $seen[$here] = ['state' => $state, 'at' => time()];
            update_option(self::NAME, $seen, false);
        } catch (\Throwable) {
            // A note is worth nothing compared with what this request is for.
            return;
        }
    }

    /** @return array<string,array{state:string,at:int}> By a name such as "cli 8.2". */
    public static function seen(): array
    {
        $seen = get_option(self::NAME, []);
        return array_filter(is_array($seen) ? $seen : [], static fn ($one): bool => is_array($one) && isset($one['state'], $one['at']));
    }

    /** Those seen within a day that cannot call the engine, with their state: one that left longer ago concerns nobody. @return array<string,string> */
    public static function without_engine(): array
    {
        $lately = array_filter(self::seen(), static fn (array $one): bool => $one['at'] > time() - DAY_IN_SECONDS);
        return array_diff(array_map(static fn (array $one): string => (string) $one['state'], $lately), ['running', 'outdated']);
    }

    /** The name of this PHP. */
    public static function here(): string
    {
        return PHP_SAPI . ' ' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
    }
}
