<?php
/**
 * Keeps for ten minutes what a user typed into a form that was refused, so that nobody types it twice; secrets never get in here.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** One short-lived transient per user. */
final class Typed
{
    /**
     * Keeps values and errors of a tab.
     *
     * @param array<string,string>      $values
     * @param list<array<string,mixed>> $errors
     */
    public static function keep(string $tab, array $values, array $errors): void
    {
        set_transient(self::name(), ['tab' => $tab, 'values' => array_diff_key($values, array_flip(Options::SECRETS)), 'errors' => $errors], 10 * MINUTE_IN_SECONDS);
    }

    /**
     * Gives them once.
     *
     * @return array{0:array<string,string>,1:list<array<string,mixed>>}
     */
    public static function take(string $tab): array
    {
        $kept = get_transient(self::name());
        if (!is_array($kept) || ($kept['tab'] ?? '') !== $tab) {
            return [[], []];
        }
        delete_transient(self::name());
        return [$kept['values'], $kept['errors']];
    }

    private static function name(): string
    {
        return 'halt_tracker_typed_' . get_current_user_id();
    }
}
