<?php
/**
 * Adds a new key to the key ring from a terminal; old keys stay as long as anything is sealed under them.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Engine;

defined('ABSPATH') || exit;

/** Keys. */
final class Key
{
    /** Makes a new key; what is stored is sealed anew by the following runs. */
    public function rotate(): void
    {
        Commands::attempt(static fn (): array => Engine::act(['action' => 'rotate_key']));
        // The status brings the new key, which forms are sealed under while the engine is away.
        Commands::attempt(static fn (): array => Engine::call('status'));
        \WP_CLI::success(__('A new key is in use. Back up the key folder again.', 'halt-tracker'));
    }
}
