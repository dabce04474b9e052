<?php
/**
 * Checks and previews the field mapping from a terminal, so that a change can be tried before it is saved.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Field mapping. */
final class Mapping
{
    /**
     * Checks the saved settings. Ends with status 1 when there is a mistake in them.
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
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function check($args, $options): void
    {
        $answer = Commands::attempt(static fn (): array => Engine::check(Options::values()));
        $rows   = [];
        foreach (['errors' => 'error', 'warnings' => 'warning'] as $kind => $word) {
            foreach ($answer[$kind] as $row) {
                $rows[] = ['setting' => $row['setting'], 'kind' => $word, 'code' => $row['code'], 'line' => $row['line'] ?? '', 'column' => $row['column'] ?? '', 'message' => $row['message']];
            }
        }
        if ($rows === [] && ($options['format'] ?? 'table') === 'table') {
            \WP_CLI::success(__('The mapping is in order.', 'halt-tracker'));
            return;
        }
        Commands::table($rows, ['setting', 'kind', 'code', 'line', 'column', 'message'], $options);
        if ($answer['errors'] !== []) {
            \WP_CLI::halt(1);
        }
    }

    /**
     * Shows what would be sent for a submission, or for the last one of a form; nothing is sent.
     *
     * ## OPTIONS
     *
     * [<id>]
     * : A submission.
     *
     * [--form=<key>]
     * : The last submission of this form.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function preview($args, $options): void
    {
        $query = ['id' => (string) ($args[0] ?? ''), 'form' => (string) ($options['form'] ?? '')];
        $shown = Commands::attempt(static fn (): array => Engine::call('preview', [Engine::encode($query)]));
        Audit::viewed('cli-preview', (string) ($shown['id'] ?? ''));
        Commands::whole($shown);
        if (($shown['errors'] ?? []) !== []) {
            \WP_CLI::halt(1);
        }
    }
}
