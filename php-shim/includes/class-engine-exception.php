<?php
/**
 * Carries a stable error code beside its words, because screens, REST and the command line all show the same code.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** A call of the engine that failed, or that could not be made. */
final class EngineException extends \RuntimeException
{
    /**
     * @param string $ht_code Such as `HT-1104`.
     * @param string $words   Words for the log; no personal data.
     */
    public function __construct(public readonly string $ht_code, string $words = '')
    {
        parent::__construct($words, (int) substr($ht_code, 3));
    }

    /** The code and its headline, for a person. */
    public function sentence(): string
    {
        return Messages::sentence($this->ht_code);
    }
}
