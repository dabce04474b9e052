<?php
/**
 * The commands that show submissions: what the Sync Log shows, for a terminal.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Admin\Page;
use Halt\Tracker\WordPress\Admin\Preview;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Export;
use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** List, detail, export, and the marked test. */
final class Submissions
{
    private const COLUMNS = ['id', 'received', 'form', 'email', 'state', 'code', 'tracker_id'];

    /**
     * Lists submissions; names and addresses are shortened.
     *
     * ## OPTIONS
     *
     * [--search=<words>]
     * : An exact e-mail address, whole words of a name, the title or id of a form, an id here or in Tracker.
     *
     * [--state=<state>]
     * : Only those in this state.
     *
     * [--form=<key>]
     * : Only those of this form.
     *
     * [--from=<date>]
     * : Received on this day or later, such as 2026-03-01.
     *
     * [--to=<date>]
     * : Received on this day or earlier.
     *
     * [--page=<n>]
     * : Which page.
     * ---
     * default: 1
     * ---
     *
     * [--per-page=<n>]
     * : How many on a page.
     * ---
     * default: 50
     * ---
     *
     * [--fields=<fields>]
     * : Which columns, separated by commas.
     *
     * [--format=<format>]
     * : How to print it.
     * ---
     * default: table
     * options:
     *   - table
     *   - json
     *   - csv
     *   - yaml
     *   - count
     *   - ids
     * ---
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function list_($args, $options): void
    {
        $query = self::filters($options) + ['page' => (int) ($options['page'] ?? 1), 'per_page' => (int) ($options['per-page'] ?? 50)];
        $page  = Commands::attempt(static fn (): array => Engine::call('list', [Engine::encode($query)]));
        if (($options['format'] ?? '') === 'count') {
            \WP_CLI::line((string) $page['total']);
            return;
        }
        $rows = array_map(static fn (array $item): array => ['id' => $item['id'], 'received' => Commands::time($item['received_at']), 'form' => $item['form']['id'] ?? '', 'email' => $item['email'], 'state' => $item['state'], 'code' => $item['code'] ?? '', 'tracker_id' => $item['tracker_id'] ?? ''], $page['items']);
        Commands::table($rows, self::COLUMNS, $options);
    }

    /**
     * Shows everything about one submission.
     *
     * ## OPTIONS
     *
     * <id>
     * : The submission.
     *
     * [--format=<format>]
     * : json prints all of it, the others its fields.
     * ---
     * default: json
     * options:
     *   - json
     *   - table
     *   - csv
     *   - yaml
     *   - count
     *   - ids
     * ---
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function get($args, $options): void
    {
        $one = Commands::attempt(static fn (): array => Export::one((string) $args[0], 'cli'));
        if (($options['format'] ?? 'json') === 'json') {
            Commands::whole($one);
            return;
        }
        $rows = [];
        foreach (['id', 'state', 'code', 'record_type', 'tracker_id'] as $name) {
            $rows[] = ['field' => $name, 'value' => (string) ($one[$name] ?? '')];
        }
        foreach ($one['fields'] ?? [] as $name => $value) {
            $rows[] = ['field' => 'fields.' . $name, 'value' => is_scalar($value) ? (string) $value : Engine::encode($value)];
        }
        Commands::table($rows, ['field', 'value'], $options);
    }

    /**
     * Prints submissions in full, one JSON object a line or as CSV.
     *
     * ## OPTIONS
     *
     * [<id>...]
     * : These; without any all that the filters find.
     *
     * [--search=<words>]
     * : As in `list`.
     *
     * [--state=<state>]
     * : Only those in this state.
     *
     * [--form=<key>]
     * : Only those of this form.
     *
     * [--from=<date>]
     * : Received on this day or later, such as 2026-03-01.
     *
     * [--to=<date>]
     * : Received on this day or earlier.
     *
     * [--format=<format>]
     * : How to print them.
     * ---
     * default: json
     * options:
     *   - json
     *   - csv
     *   - count
     *   - ids
     * ---
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function export($args, $options): void
    {
        $ids    = $args !== [] ? $args : Export::ids(self::filters($options));
        $format = (string) ($options['format'] ?? 'json');
        Commands::attempt(static function () use ($ids, $format): void {
            if ($format === 'csv') {
                $out = fopen('php://output', 'w');
                Export::csv($ids, $out, 'cli-export');
                fclose($out);
                return;
            }
            $all   = [];
            $whole = true;
            foreach ($ids as $id) {
                if ($format === 'json') {
                    [$line, $is_whole] = self::line_of((string) $id);
                    $whole             = $whole && $is_whole;
                    \WP_CLI::line($line);
                } else {
                    $all[] = $id;
                }
            }
            if (!$whole) {
                \WP_CLI::halt(1);
            }
            if ($format !== 'json') {
                \WP_CLI::line($format === 'count' ? (string) count($all) : implode(' ', $all));
            }
        });
    }

    /**
     * One object of the export. What cannot be read is named, and holds up nothing.
     *
     * @return array{string,bool} The line, and whether it is whole.
     */
    private static function line_of(string $id): array
    {
        try {
            return [Engine::encode(Export::one($id, 'cli-export')), true];
        } catch (EngineException $fault) {
            \WP_CLI::warning($id . ': ' . Messages::title($fault->ht_code));
            return [Engine::encode(['id' => $id, 'code' => $fault->ht_code]), false];
        }
    }

    /**
     * Sends a marked test of a form the whole way to Tracker.
     *
     * ## OPTIONS
     *
     * <form>
     * : The key of a form, as `forms list` names it.
     *
     * @param list<string> $args
     */
    public function send_test($args): void
    {
        $test = Commands::attempt(static function () use ($args): array {
            $form = Preview::forms(Engine::try_status()[0])[(string) $args[0]] ?? null;
            if ($form === null) {
                throw new EngineException('HT-1901', 'there is no such form');
            }
            return Engine::act(['action' => 'test', 'form' => Preview::plain($form)]);
        });
        $said = $test['id'] . ' ' . $test['state'];
        $test['state'] === 'ignored' ? \WP_CLI::error($said) : \WP_CLI::success($said);
    }

    /**
     * What the options ask for, as the engine's list takes it. A day that is none, or an unknown state, would find everything.
     *
     * @param array<string,mixed> $options
     * @return array<string,mixed>
     */
    private static function filters(array $options): array
    {
        $query = array_intersect_key($options, array_flip(['search', 'state', 'form']));
        if (isset($query['state']) && !isset(Messages::states()[$query['state']])) {
            /* translators: %s: names of states */
            \WP_CLI::error(sprintf(__('There is no such state. They are: %s', 'halt-tracker'), implode(', ', array_keys(Messages::states()))));
        }
        foreach (['from' => '', 'to' => '+1 day'] as $name => $shift) {
            if (isset($options[$name])) {
                $query[$name] = Page::day((string) $options[$name], $shift);
                if ($query[$name] === null) {
                    \WP_CLI::error(__('A day is written like 2026-03-01.', 'halt-tracker'));
                }
            }
        }
        return $query;
    }
}
