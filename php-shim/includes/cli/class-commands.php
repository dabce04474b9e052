<?php
/**
 * Adds the commands to WP-CLI and holds what they share: how an answer is printed and how a failure ends.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Export;
use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** Registration and small helpers. */
final class Commands
{
    /** Adds `wp halt-tracker` and its groups. */
    public static function register(): void
    {
        \WP_CLI::add_command('halt-tracker', Delivery::class);
        $single = [
            [new Submissions(), ['list' => 'list_', 'get' => 'get', 'export' => 'export', 'send-test' => 'send_test']],
            [new Deeds(), ['retry' => 'retry', 'release' => 'release', 'discard' => 'discard', 'spam' => 'spam', 'exists' => 'exists', 'absent' => 'absent', 'erase' => 'erase']],
            [new Worker(), ['work' => 'work']],
            [new Backup(), ['backup' => 'backup', 'restore' => 'restore']],
        ];
        foreach ($single as [$object, $methods]) {
            foreach ($methods as $verb => $method) {
                \WP_CLI::add_command('halt-tracker ' . $verb, [$object, $method]);
            }
        }
        \WP_CLI::add_command('halt-tracker mapping', Mapping::class);
        \WP_CLI::add_command('halt-tracker forms', Forms::class);
        \WP_CLI::add_command('halt-tracker secret', Secret::class);
        \WP_CLI::add_command('halt-tracker key', Key::class);
        \WP_CLI::add_command('halt-tracker site', SiteCommand::class);
    }

    /**
     * Does something with the engine; a failure ends the command with status 1 and the code.
     *
     * @template T
     * @param callable():T $work
     * @return T
     */
    public static function attempt(callable $work)
    {
        try {
            return $work();
        } catch (EngineException $fault) {
            \WP_CLI::error($fault->sentence() . ($fault->getMessage() !== '' ? ' [' . $fault->getMessage() . ']' : ''));
            exit(1);
        }
    }

    /**
     * Prints rows in the format that was asked for.
     *
     * @param list<array<string,mixed>> $rows
     * @param list<string>              $columns The first one is what `ids` prints.
     * @param array<string,mixed>       $options
     */
    public static function table(array $rows, array $columns, array $options): void
    {
        $format = (string) ($options['format'] ?? 'table');
        if ($format === 'count') {
            \WP_CLI::line((string) count($rows));
        } elseif ($format === 'ids') {
            \WP_CLI::line(implode(' ', array_map('strval', array_column($rows, $columns[0]))));
        } else {
            $fields = isset($options['fields']) ? explode(',', (string) $options['fields']) : $columns;
            $cells  = $format === 'csv' ? array_map([self::class, 'harmless'], $rows) : $rows;
            \WP_CLI\Utils\format_items($format, $cells, $fields);
        }
    }

    /**
     * Prints one thing in full.
     *
     * @param mixed $value
     */
    public static function whole($value): void
    {
        \WP_CLI::line((string) wp_json_encode($value, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE));
    }

    /**
     * Spreadsheets take a cell that begins like this for a formula.
     *
     * @param array<string,mixed> $row
     * @return array<string,mixed>
     */
    public static function harmless(array $row): array
    {
        return array_map(static fn ($cell) => is_string($cell) ? Export::harmless($cell) : $cell, $row);
    }

    /** A time of the engine in the site's zone. @param mixed $ms */
    public static function time($ms): string
    {
        return is_numeric($ms) && $ms > 0 ? (string) wp_date('Y-m-d H:i:s', (int) ($ms / 1000)) : '';
    }

    /**
     * Reports what an action changed and what it refused; a refusal ends with status 1.
     *
     * @param array<string,mixed> $answer
     */
    public static function changed(array $answer): void
    {
        foreach ($answer['refused'] ?? [] as $refused) {
            \WP_CLI::warning($refused['id'] . ': ' . Messages::title((string) $refused['code']));
        }
        $count = count($answer['changed'] ?? []);
        /* translators: %d: number of submissions */
        $said = sprintf(_n('%d changed.', '%d changed.', $count, 'halt-tracker'), $count);
        ($answer['refused'] ?? []) === [] ? \WP_CLI::success($said) : \WP_CLI::error($said);
    }
}
