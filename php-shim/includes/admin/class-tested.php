<?php
/**
 * Remembers what the last connection test found on each API, so that a page can show it without asking Tracker again.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;

defined('ABSPATH') || exit;

/** Which API works; a word and a code, nothing that Tracker said. */
final class Tested
{
    private const NAME = 'halt_tracker_tested';

    /**
     * Asks both APIs.
     *
     * @return list<array<string,mixed>> The engine's findings, Tracker's words among them.
     * @throws EngineException
     */
    public static function now(): array
    {
        $apis = Engine::call('testConnection')['apis'] ?? [];
        $kept = [];
        foreach ($apis as $api) {
            $kept[(string) $api['api']] = ['works' => !empty($api['works']), 'code' => (string) ($api['code'] ?? 'HT-1501')];
        }
        set_transient(self::NAME, $kept, MONTH_IN_SECONDS);
        return $apis;
    }

    /** @return array<string,array{works:bool,code:string}> By API; empty while nobody tested. */
    public static function last(): array
    {
        $kept = get_transient(self::NAME);
        return is_array($kept) ? $kept : [];
    }

    /** Other credentials, other findings. */
    public static function forget(): void
    {
        delete_transient(self::NAME);
    }
}
