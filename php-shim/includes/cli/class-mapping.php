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
    /** Checks the saved settings. */
    public function check(): void
    {
        $answer = Commands::attempt(static fn (): array => Engine::check(Options::values()));
        foreach (['errors', 'warnings'] as $kind) {
            foreach ($answer[$kind] as $row) {
                \WP_CLI::warning($row['setting'] . ': ' . $row['message'] . ' (' . $row['code'] . (isset($row['line']) ? ', line ' . $row['line'] . ', column ' . $row['column'] : '') . ')');
            }
        }
        $answer['errors'] === [] ? \WP_CLI::success(__('The mapping is in order.', 'halt-tracker')) : \WP_CLI::halt(1);
    }

    /**
     * Shows what would be sent for a submission, or for the last one of a form; nothing is sent.
     *
     * ## OPTIONS
     * [<id>]
     * [--form=<key>]
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function preview($args, $options): void
    {
        $query = ['id' => (string) ($args[0] ?? ''), 'form' => (string) ($options['form'] ?? '')];
        $shown = Commands::attempt(static fn (): array => Engine::call('preview', [Engine::encode($query)]));
        Audit::viewed('cli-preview', (string) ($shown['id'] ?? ''));
        \WP_CLI::line((string) wp_json_encode($shown, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
        if (($shown['errors'] ?? []) !== []) {
            \WP_CLI::halt(1);
        }
    }
}
