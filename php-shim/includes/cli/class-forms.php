<?php
/**
 * Lists the forms of the site from a terminal, those found in the content and those seen on arrival.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\DiviContent;
use Halt\Tracker\WordPress\Engine;

defined('ABSPATH') || exit;

/** Forms. */
final class Forms
{
    /**
     * Lists the forms of the site, those in the content and those that arrived.
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
        $rows = [];
        foreach (DiviContent::all() as $form) {
            $rows[$form['key']] = ['key' => $form['key'], 'title' => $form['title'], 'page' => $form['page'], 'count' => 0];
        }
        foreach (Engine::try_status()[0]['forms'] ?? [] as $form) {
            $rows[$form['key']] = ['key' => $form['key'], 'title' => $form['title'] ?? '', 'page' => $rows[$form['key']]['page'] ?? '', 'count' => $form['count'] ?? 0];
        }
        Commands::table(array_values($rows), ['key', 'title', 'page', 'count'], $options);
    }
}
