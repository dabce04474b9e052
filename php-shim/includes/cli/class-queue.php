<?php
/**
 * The commands around submissions and runs: what the Dashboard and the Sync Log do, for a terminal.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\Capture;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Health;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Relay;

defined('ABSPATH') || exit;

/** Receives, keeps and delivers form submissions to Tracker RMS. */
final class Queue
{
    /**
     * Shows whether it works.
     *
     * ## OPTIONS
     * [--format=<format>]
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function status($args, $options): void
    {
        if (($options['format'] ?? '') === 'json') {
            \WP_CLI::line(Engine::encode(Commands::attempt(static fn (): array => Engine::call('status'))));
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
        $rows[] = ['item' => 'kept without the engine', 'value' => Capture::count()];
        Commands::table($rows, ['item', 'value'], $options);
    }

    /** Does one run. */
    public function run(): void
    {
        $report = Commands::attempt(static fn (): array => Relay::run('cli', 20000));
        foreach ($report['items'] ?? [] as $item) {
            \WP_CLI::line($item['id'] . ' ' . $item['state'] . ' ' . ($item['code'] ?? '') . ' ' . ($item['record_type'] ?? '') . ' ' . ($item['tracker_id'] ?? ''));
        }
        \WP_CLI::success($report['outcome'] . ', ' . (int) ($report['left'] ?? 0) . ' left');
    }

    /** Runs again and again until SIGTERM, for one hour at most: for a service manager that starts it anew. */
    public function work(): void
    {
        $stop = false;
        if (function_exists('pcntl_signal')) {
            pcntl_async_signals(true);
            foreach ([SIGTERM, SIGINT] as $signal) {
                pcntl_signal($signal, static function () use (&$stop): void {
                    $stop = true;
                });
            }
        }
        $until   = time() + HOUR_IN_SECONDS;
        $version = Engine::version()['version'] ?? '';
        $plugin  = get_option('halt_tracker_version');
        while (!$stop && time() < $until) {
            // Settings may have changed meanwhile, and this process lives long.
            wp_cache_flush_runtime();
            if (get_option('halt_tracker_version') !== $plugin || (Engine::version()['version'] ?? '') !== $version) {
                break;
            }
            try {
                $report = Relay::run('cli', 20000);
            } catch (EngineException $fault) {
                \WP_CLI::warning(Messages::title($fault->ht_code));
                $report = [];
            }
            $busy = ($report['outcome'] ?? '') === 'ran' && (int) ($report['left'] ?? 0) > 0;
            for ($seconds = $busy ? 1 : 10; $seconds > 0 && !$stop; $seconds--) {
                sleep(1);
            }
        }
        \WP_CLI::success(__('Ended.', 'halt-tracker'));
    }

    /**
     * Lists submissions, names masked.
     *
     * ## OPTIONS
     * [--search=<words>]
     * [--state=<state>]
     * [--form=<key>]
     * [--page=<n>]
     * [--per-page=<n>]
     * [--format=<format>]
     *
     * @subcommand list
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function list_($args, $options): void
    {
        $query = array_intersect_key($options, array_flip(['search', 'state', 'form'])) + ['page' => (int) ($options['page'] ?? 1), 'per_page' => (int) ($options['per-page'] ?? 50)];
        $page  = Commands::attempt(static fn (): array => Engine::call('list', [Engine::encode($query)]));
        $rows  = array_map(static fn (array $item): array => ['id' => $item['id'], 'received' => Commands::time($item['received_at']), 'form' => $item['form']['id'] ?? '', 'email' => $item['email'], 'state' => $item['state'], 'code' => $item['code'] ?? '', 'tracker_id' => $item['tracker_id'] ?? ''], $page['items']);
        Commands::table($rows, ['id', 'received', 'form', 'email', 'state', 'code', 'tracker_id'], $options);
    }

    /**
     * Shows everything about one submission as JSON.
     *
     * @param list<string> $args
     */
    public function get($args): void
    {
        $id = (string) ($args[0] ?? '');
        Audit::viewed('cli', $id);
        \WP_CLI::line((string) wp_json_encode(Commands::attempt(static fn (): array => Engine::call('get', [$id])), JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
    }

    /** Sends submissions again. @param list<string> $args */
    public function retry($args): void
    {
        $this->act('retry', $args);
    }

    /**
     * Discards submissions.
     *
     * ## OPTIONS
     * <id>...
     * [--yes]
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function discard($args, $options): void
    {
        \WP_CLI::confirm(__('Discard these submissions?', 'halt-tracker'), $options);
        $this->act('discard', $args);
    }

    /**
     * Erases the data of submissions, or of a person by --email.
     *
     * ## OPTIONS
     * [<id>...]
     * [--email=<email>]
     * [--yes]
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function erase($args, $options): void
    {
        if (isset($options['email'])) {
            $args = Commands::attempt(static fn (): array => Engine::act(['action' => 'find_person', 'email' => (string) $options['email']])['ids'] ?? []);
        }
        if ($args === []) {
            \WP_CLI::success(__('Nothing to erase.', 'halt-tracker'));
            return;
        }
        \WP_CLI::confirm(__('Erase this data for ever?', 'halt-tracker'), $options);
        $this->act('erase', $args);
    }

    /**
     * Prints all submissions in full, one JSON object a line.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function export($args, $options): void
    {
        $query = array_intersect_key($options, array_flip(['search', 'state', 'form'])) + ['per_page' => 100, 'page' => 0, 'direction' => 'asc'];
        do {
            $query['page']++;
            $page = Commands::attempt(static fn (): array => Engine::call('list', [Engine::encode($query)]));
            foreach ($page['items'] as $item) {
                Audit::viewed('cli-export', (string) $item['id']);
                \WP_CLI::line(Engine::encode(Commands::attempt(static fn (): array => Engine::call('get', [$item['id']]))));
            }
        } while ($page['items'] !== []);
    }

    /** Takes over forms that were kept without the engine. */
    public function adopt(): void
    {
        $result = Commands::attempt(static fn (): array => Relay::adopt());
        foreach ($result['codes'] as $code) {
            \WP_CLI::warning(Messages::title($code));
        }
        \WP_CLI::success($result['adopted'] . ' adopted, ' . $result['left'] . ' left');
    }

    /** Pauses sending. */
    public function pause(): void
    {
        Commands::attempt(static fn (): array => Engine::act(['action' => 'pause']));
        \WP_CLI::success(__('Sending is paused.', 'halt-tracker'));
    }

    /**
     * Resumes sending.
     *
     * ## OPTIONS
     * [--reason=<reason>]
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function resume($args, $options): void
    {
        $reason = (string) ($options['reason'] ?? '');
        $action = $reason === 'restored' ? ['action' => 'confirm_restore'] : ['action' => 'resume'] + ($reason !== '' ? ['reason' => $reason] : []);
        Commands::attempt(static fn (): array => Engine::act($action));
        \WP_CLI::success(__('Done.', 'halt-tracker'));
    }

    /** Says who holds the sync lock; a dead run's lock is cleaned up, a living one is never overridden. */
    public function unlock(): void
    {
        $answer = Commands::attempt(static fn (): array => Engine::act(['action' => 'unlock']));
        \WP_CLI::success(empty($answer['held']) ? __('No run holds the lock.', 'halt-tracker') : 'pid ' . $answer['pid'] . ', ' . $answer['caller'] . ', ' . Commands::time($answer['since']));
    }

    /**
     * Asks both of Tracker's APIs whether the credentials work.
     *
     * @subcommand test-connection
     */
    public function test_connection(): void
    {
        $answer = Commands::attempt(static fn (): array => Engine::call('testConnection'));
        $works  = false;
        foreach ($answer['apis'] as $api) {
            $works = $works || $api['works'];
            \WP_CLI::line($api['api'] . ': ' . ($api['works'] ? 'works' : ($api['code'] ?? '') . ' ' . $api['message']));
        }
        $works ? \WP_CLI::success(__('Tracker answers.', 'halt-tracker')) : \WP_CLI::error(__('Neither API works.', 'halt-tracker'));
    }

    /**
     * Runs the tests of Site Health.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function doctor($args, $options): void
    {
        $rows = [];
        foreach (Health::site_status_tests([])['direct'] ?? [] as $test) {
            $said   = ($test['test'])();
            $rows[] = ['test' => $test['label'], 'status' => $said['status'], 'finding' => $said['label']];
        }
        Commands::table($rows, ['test', 'status', 'finding'], $options);
        if (in_array('critical', array_column($rows, 'status'), true)) {
            \WP_CLI::halt(1);
        }
    }

    /** @param list<string> $ids */
    private function act(string $action, array $ids): void
    {
        Commands::changed(Commands::attempt(static fn (): array => Engine::act(['action' => $action, 'ids' => array_values($ids)])));
    }
}
