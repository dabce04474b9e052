<?php
/**
 * Answers from a terminal the question that a copied or moved site raises: whose store is this?
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Whose;

defined('ABSPATH') || exit;

/** Copies and moves. */
final class SiteCommand
{
    /**
     * This is the same site at a new address: the store is bound to it.
     *
     * ## OPTIONS
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function moved($args, $options): void
    {
        \WP_CLI::confirm(__('Bind the store to this address? Do this only if the other site is gone.', 'halt-tracker'), $options);
        Commands::attempt(static fn (): array => Engine::act(['action' => 'moved']));
        \WP_CLI::success(__('The store belongs to this address now.', 'halt-tracker'));
    }

    /**
     * This is a copy: it gets a new, empty store of its own; the other one is never written.
     *
     * ## OPTIONS
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function copy($args, $options): void
    {
        \WP_CLI::confirm(__('Start a new, empty store for this copy?', 'halt-tracker'), $options);
        Commands::attempt(static function (): void {
            Whose::this_is_a_copy();
        });
        \WP_CLI::success(__('This copy has a store of its own now; enter the credentials again.', 'halt-tracker'));
    }

    /**
     * The store has disappeared, and lies in another folder now: it is used there.
     *
     * ## OPTIONS
     *
     * <folder>
     * : The folder, named in full.
     *
     * @param list<string> $args
     */
    public function at($args): void
    {
        Commands::attempt(static function () use ($args): void {
            Whose::it_is_at((string) $args[0]);
        });
        \WP_CLI::success(__('The store is used where it lies now.', 'halt-tracker'));
    }

    /**
     * The store is gone for good: a new, empty one is started.
     *
     * ## OPTIONS
     *
     * [--yes]
     * : Do not ask.
     *
     * @subcommand new
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function new_($args, $options): void
    {
        \WP_CLI::confirm(__('Start a new, empty store? What was in the old one is lost to this site.', 'halt-tracker'), $options);
        Commands::attempt(static function (): void {
            Whose::start_a_new_store();
        });
        \WP_CLI::success(__('The next submission makes a new store; sending starts paused.', 'halt-tracker'));
    }
}
