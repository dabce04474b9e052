<?php
/**
 * Adds and retires secrets from a terminal; a value is read from standard input, never from the command line that others can see.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;

defined('ABSPATH') || exit;

/** Secrets. */
final class Secret
{
    /**
     * Saves a secret that is piped in.
     *
     * ## OPTIONS
     *
     * <name>
     * : Which one.
     * ---
     * options:
     *   - client_secret
     *   - refresh_token
     *   - api_token
     *   - shared_secret
     * ---
     *
     * @param list<string> $args
     */
    public function add($args): void
    {
        $value = trim((string) stream_get_contents(STDIN));
        $name  = (string) $args[0];
        $saved = Commands::attempt(static fn (): array => Engine::call('saveSecret', [$name, $value]));
        Audit::credentials_changed($name);
        \WP_CLI::success($saved['name'] . ($saved['last4'] !== '' ? ' …' . $saved['last4'] : ''));
    }

    /**
     * Lists which secrets are set; never a value.
     *
     * ## OPTIONS
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
     * @subcommand list
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function list_($args, $options): void
    {
        $rows = array_map(static fn (array $one): array => [
            'id'      => $one['id'] ?? '',
            'name'    => $one['name'],
            'set'     => $one['set'] ? 'yes' : 'no',
            'last4'   => $one['last4'] ?? '',
            'source'  => $one['source'] ?? '',
            'used_at' => Commands::time($one['used_at'] ?? null),
        ], Commands::attempt(static fn (): array => Engine::call('status'))['secrets']);
        Commands::table($rows, ['id', 'name', 'set', 'last4', 'source', 'used_at'], $options);
    }

    /**
     * Retires a webhook secret.
     *
     * ## OPTIONS
     *
     * <id>
     * : Its id in `secret list`.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function retire($args, $options): void
    {
        \WP_CLI::confirm(__('Senders that still use this secret are refused from now on. Retire it?', 'halt-tracker'), $options);
        $id = (string) $args[0];
        // PHP would take "1x" for 1, and retire another one than was meant.
        Commands::attempt(static fn (): array => ctype_digit($id) ? Engine::act(['action' => 'retire_secret', 'id' => (int) $id]) : throw new EngineException('HT-1409', $id));
        Audit::credentials_changed('shared_secret');
        \WP_CLI::success(__('Retired.', 'halt-tracker'));
    }
}
