<?php
/**
 * Copies the store while the site lives, and puts a copy back, because copying its files by hand may catch a write half done.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Engine;

defined('ABSPATH') || exit;

/** `wp halt-tracker backup` and `wp halt-tracker restore`. */
final class Backup
{
    /**
     * Copies the store into a new folder. The keys are not in it: keep the key folder elsewhere.
     *
     * ## OPTIONS
     *
     * <folder>
     * : The folder to make, named in full.
     *
     * @param list<string> $args
     */
    public function backup($args): void
    {
        $folder = (string) ($args[0] ?? '');
        $answer = Commands::attempt(static fn (): array => Engine::act(['action' => 'backup', 'path' => $folder]));
        /* translators: 1: number of files, 2: path of a folder */
        \WP_CLI::success(sprintf(_n('The store and %1$d file lie in %2$s.', 'The store and %1$d files lie in %2$s.', (int) ($answer['files'] ?? 0), 'halt-tracker'), (int) ($answer['files'] ?? 0), $folder));
        \WP_CLI::line(__('Keep the key folder too, in another place: without it nobody can read the copy, with it anybody can.', 'halt-tracker'));
    }

    /**
     * Puts a backup back, also where the store is damaged or gone. What is there now stays beside it, and sending pauses until it is confirmed on the Dashboard.
     *
     * ## OPTIONS
     *
     * <folder>
     * : The folder that backup made.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function restore($args, $options): void
    {
        $folder = (string) ($args[0] ?? '');
        \WP_CLI::confirm(__('Put this backup in the place of the store?', 'halt-tracker'), $options);
        $answer = Commands::attempt(static fn (): array => Engine::act(['action' => 'restore', 'path' => $folder]));
        $aside  = (string) ($answer['changed'][0] ?? '');
        /* translators: %s: path of a file */
        \WP_CLI::success($aside !== '' ? sprintf(__('The backup is in place; what was there is kept for a week as %s.', 'halt-tracker'), $aside) : __('The backup is in place.', 'halt-tracker'));
        \WP_CLI::line(__('Sending is paused. Confirm on the Dashboard: each unfinished submission is then looked up in Tracker before it is sent.', 'halt-tracker'));
    }
}
