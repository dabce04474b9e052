<?php
/**
 * Remembers that forms could be kept neither by the engine nor by the database, until somebody has dealt with it; nothing of the forms is in it.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** A counter in one option. */
final class Lost
{
    private const OPTION = 'halt_tracker_lost';

    /** One more. */
    public static function note(string $code): void
    {
        update_option(self::OPTION, ['count' => self::seen()['count'] + 1, 'last_at' => time(), 'code' => $code], false);
    }

    /** @return array{count:int,last_at:int,code:string} */
    public static function seen(): array
    {
        $lost = get_option(self::OPTION, []);
        $lost = is_array($lost) ? $lost : [];
        return ['count' => (int) ($lost['count'] ?? 0), 'last_at' => (int) ($lost['last_at'] ?? 0), 'code' => is_string($lost['code'] ?? null) ? $lost['code'] : ''];
    }

    /** Why the last one could not be kept, and what helps; empty when nothing was lost. */
    public static function cause(): string
    {
        $code = self::seen()['code'];
        if ($code === 'HT-1803') {
            return __('The site’s own database could not be written.', 'halt-tracker');
        }
        return $code === '' ? '' : Messages::title($code) . '. ' . Messages::of($code)['next'];
    }

    /** Forgets those that a person has seen; one that was lost since is none of them. */
    public static function dealt_with(int $count): bool
    {
        if ($count !== self::seen()['count']) {
            return false;
        }
        if ($count > 0) {
            delete_option(self::OPTION);
            Audit::acknowledged('HT-1803', $count);
        }
        return true;
    }
}
