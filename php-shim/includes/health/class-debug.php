<?php
/**
 * The section of Site Health's Info tab that people send to support; no secret and no personal datum is in it.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

use Halt\Tracker\WordPress\Capture;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Options;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Pulse;

use const Halt\Tracker\WordPress\VERSION;

defined('ABSPATH') || exit;

/** Facts only; paths are private, so that "Copy site info" leaves them out. */
final class Debug
{
    /**
     * @param array<string,mixed>|null $status
     * @return array<string,array<string,mixed>>
     */
    public static function fields(?array $status, ?EngineException $fault): array
    {
        $version = Engine::version();
        $seen    = array_map(static fn (string $name, array $one): string => $name . ': ' . $one['state'], array_keys(Sapis::seen()), Sapis::seen());
        $skew    = $status['clock_skew_ms'] ?? null;
        $rows    = [
            'plugin'   => [__('Plugin version', 'halt-tracker'), VERSION],
            'engine'   => [__('Engine', 'halt-tracker'), trim(Engine::state() . ' ' . ($version['version'] ?? '') . ' ' . ($version['revision'] ?? ''))],
            'api'      => [__('Interface', 'halt-tracker'), ($version['api'] ?? '-') . ' / ' . Engine::API],
            'php'      => [__('PHP', 'halt-tracker'), PHP_VERSION . ' ' . PHP_SAPI . (PHP_ZTS ? ' ZTS' : ' NTS')],
            'build'    => [__('PHP Extension Build', 'halt-tracker'), Binary::build_of_php()],
            'seen'     => [__('Engine in each PHP', 'halt-tracker'), $seen === [] ? '-' : implode(', ', $seen)],
            'divi'     => [__('Divi', 'halt-tracker'), Surroundings::divi_version() !== '' ? Surroundings::divi_version() : '-'],
            'tracker'  => [__('Tracker', 'halt-tracker'), Options::text('environment') . ' ' . Options::text('api') . ' ' . Options::text('record_type')],
            'data_dir' => [__('Data folder (back it up with wp halt-tracker backup)', 'halt-tracker'), Places::known_data_dir()],
            'key_file' => [__('First key file (back up its whole folder)', 'halt-tracker'), Places::known_key_file()],
            'store'    => [__('Store', 'halt-tracker'), $status !== null ? (string) size_format((int) ($status['store']['bytes'] ?? 0)) : (string) ($fault?->ht_code)],
            'counts'   => [__('Submissions', 'halt-tracker'), $status !== null ? Engine::encode((object) $status['counts']) : '-'],
            'lane'     => [__('Paused for', 'halt-tracker'), implode(', ', array_column($status['lane']['reasons'] ?? [], 'reason')) ?: '-'],
            'captured' => [__('Kept without the engine', 'halt-tracker'), (string) Capture::count()],
            'cron'     => [__('WP-Cron switched off', 'halt-tracker'), defined('DISABLE_WP_CRON') && DISABLE_WP_CRON ? 'yes' : 'no'],
            'interval' => [__('Seconds between two runs of cron', 'halt-tracker'), Pulse::interval($status) > 0 ? (string) Pulse::interval($status) : '-'],
            'skew'     => [__('Clock beside Tracker’s (ms)', 'halt-tracker'), is_numeric($skew) ? (string) (int) $skew : '-'],
        ];
        $fields = [];
        foreach ($rows as $name => [$label, $value]) {
            $fields[$name] = ['label' => $label, 'value' => $value, 'private' => in_array($name, ['data_dir', 'key_file'], true)];
        }
        return $fields;
    }
}
