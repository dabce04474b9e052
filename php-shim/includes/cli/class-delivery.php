<?php
/**
 * The commands around runs: what the Dashboard shows and what its buttons do, for a terminal.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Admin\Pauses;
use Halt\Tracker\WordPress\Admin\Tested;
use Halt\Tracker\WordPress\Admin\Words;
use Halt\Tracker\WordPress\Capture;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Health;
use Halt\Tracker\WordPress\Lost;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Relay;

defined('ABSPATH') || exit;

/** Receives, keeps and delivers form submissions to Tracker RMS. */
final class Delivery
{
    /**
     * Shows whether it works.
     *
     * ## OPTIONS
     *
     * [--format=<format>]
     * : How to print it; json prints all that the engine knows.
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
    public function status($args, $options): void
    {
        if (($options['format'] ?? '') === 'json') {
            Commands::whole(Commands::attempt(static fn (): array => Engine::call('status')));
            return;
        }
        [$status, $fault] = Engine::try_status();
        $rows = [['item' => 'engine', 'value' => Engine::state()], ['item' => 'store', 'value' => $fault !== null ? Messages::title($fault->ht_code) : Places::known_data_dir()]];
        foreach ($status['counts'] ?? [] as $state => $count) {
            $rows[] = ['item' => $state, 'value' => $count];
        }
        foreach ($status['lane']['reasons'] ?? [] as $reason) {
            $rows[] = ['item' => 'paused', 'value' => $reason['reason'] . ' ' . ($reason['code'] ?? '')];
        }
        $rows[] = ['item' => 'last run', 'value' => Commands::time($status['last_run']['started_at'] ?? null)];
        $rows[] = ['item' => 'oldest waiting', 'value' => Commands::time($status['oldest_waiting']['received_at'] ?? null)];
        $rows[] = ['item' => 'kept without the engine', 'value' => Capture::count()];
        Commands::table($rows, ['item', 'value'], $options);
        if ($fault !== null && $fault->ht_code !== 'HT-1115') {
            \WP_CLI::halt(1);
        }
    }

    /**
     * Does one run, of 20 seconds at most. Ends with status 1 while sending is paused.
     */
    public function run(): void
    {
        $report = Commands::attempt(static fn (): array => Relay::run('cli', 20000));
        foreach ($report['items'] ?? [] as $item) {
            \WP_CLI::line(rtrim($item['id'] . ' ' . $item['state'] . ' ' . ($item['code'] ?? '') . ' ' . ($item['record_type'] ?? '') . ' ' . ($item['tracker_id'] ?? '')));
        }
        $said = $report['outcome'] . ', ' . (int) ($report['left'] ?? 0) . ' left';
        $report['outcome'] === 'paused' ? \WP_CLI::error($said . ': ' . implode(', ', array_map([self::class, 'reason'], $report['reasons'] ?? []))) : \WP_CLI::success($said);
    }

    /**
     * Takes over forms that were kept without the engine.
     *
     * ## OPTIONS
     *
     * [--discard-unopened]
     * : Discard those that cannot be opened (HT-1801, HT-1802). They were never sent, and nothing brings them back.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function adopt($args, $options): void
    {
        $discard = !empty($options['discard-unopened']);
        if ($discard) {
            \WP_CLI::confirm(__('Discard the forms that do not open?', 'halt-tracker'), $options);
        }
        $result = Commands::attempt(static fn (): array => Relay::adopt(20, $discard));
        foreach ($result['codes'] as $code) {
            \WP_CLI::warning(Messages::title($code));
        }
        $said = $result['adopted'] . ' adopted, ' . $result['left'] . ' left' . ($discard ? ', ' . $result['discarded'] . ' discarded' : '');
        $result['codes'] === [] ? \WP_CLI::success($said) : \WP_CLI::error($said);
    }

    /**
     * Pauses sending; submissions are received and kept.
     */
    public function pause(): void
    {
        Commands::attempt(static fn (): array => Engine::act(['action' => 'pause']));
        \WP_CLI::success(__('Sending is paused.', 'halt-tracker'));
    }

    /**
     * Resumes sending.
     *
     * ## OPTIONS
     *
     * [--reason=<reason>]
     * : The pause to end, as `status` names it; without it the one by hand. `restored` confirms that a backup was put back.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function resume($args, $options): void
    {
        $reason = (string) ($options['reason'] ?? '');
        $action = $reason === 'restored' ? ['action' => 'confirm_restore'] : ['action' => 'resume'] + ($reason !== '' ? ['reason' => $reason] : []);
        Commands::attempt(static fn (): array => Engine::act($action));
        $still = Pauses::still();
        if ($still !== '') {
            \WP_CLI::warning($still);
        }
        \WP_CLI::success(__('Done.', 'halt-tracker'));
    }

    /**
     * Says who holds the sync lock; a dead run's lock is cleaned up, a living one is never overridden.
     */
    public function unlock(): void
    {
        $answer = Commands::attempt(static fn (): array => Engine::act(['action' => 'unlock']));
        if (empty($answer['held'])) {
            \WP_CLI::success(__('No run holds the lock.', 'halt-tracker'));
            return;
        }
        /* translators: 1: who started the run, such as "by the schedule", 2: process id, 3: a time */
        \WP_CLI::warning(sprintf(__('A living run holds the lock: started %1$s, process %2$d, at %3$s. It was left alone.', 'halt-tracker'), Words::caller((string) ($answer['caller'] ?? '')), (int) ($answer['pid'] ?? 0), Commands::time($answer['since'] ?? null)));
    }

    /**
     * Asks both of Tracker's APIs whether the credentials work. Ends with status 1 when neither does.
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
     * @subcommand test-connection
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function test_connection($args, $options): void
    {
        $apis = Commands::attempt(static fn (): array => Tested::now());
        $rows = array_map(static fn (array $api): array => ['api' => $api['api'], 'works' => $api['works'] ? 'yes' : 'no', 'code' => $api['code'] ?? '', 'message' => $api['message'] ?? ''], $apis);
        Commands::table($rows, ['api', 'works', 'code', 'message'], $options);
        if (!in_array('yes', array_column($rows, 'works'), true)) {
            \WP_CLI::halt(1);
        }
    }

    /**
     * Runs the tests of Site Health. Ends with status 1 when one of them is critical.
     *
     * ## OPTIONS
     *
     * [--lost-is-dealt-with]
     * : First forgets the forms that could not be kept (HT-1803), because somebody has dealt with them.
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
    public function doctor($args, $options): void
    {
        if (!empty($options['lost-is-dealt-with'])) {
            Lost::dealt_with(Lost::seen()['count']);
        }
        $rows = [];
        foreach (Health::all() as $name => $said) {
            $rows[] = ['test' => $name, 'status' => $said['status'], 'finding' => $said['label']];
        }
        Commands::table($rows, ['test', 'status', 'finding'], $options);
        if (in_array('critical', array_column($rows, 'status'), true)) {
            \WP_CLI::halt(1);
        }
    }

    /** @param mixed $reason */
    private static function reason($reason): string
    {
        return is_array($reason) ? (string) ($reason['reason'] ?? '') : (string) $reason;
    }
}
