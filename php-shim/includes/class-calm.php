<?php
/**
 * Keeps other plugins' error handlers out of our work: some throw at every warning, also a silenced one, and a thrown warning would cost a file or a form.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** PHP's own handling of errors, for the time of one piece of work. */
final class Calm
{
    /**
     * @template T
     * @param callable():T $work
     * @return T
     */
    public static function work(callable $work)
    {
        // Answering false hands the error to PHP: it is logged as on any site, and what is silenced stays so.
        set_error_handler(static fn (): bool => false);
        try {
            return $work();
        } finally {
            restore_error_handler();
        }
    }
}
