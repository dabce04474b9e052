<?php
/**
 * Starts runs: from cron, from a button, from the command line and after a visitor's answer; how a run goes is the engine's affair.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

use Halt\Tracker\WordPress\Health\Sapis;

defined('ABSPATH') || exit;

/** The four callers of one run, and what has to be done around it. */
final class Relay
{
    public const HOOK     = 'halt_tracker_process_queue';
    public const CONTINUE = 'halt_tracker_continue';

    private const ASKS = 5;

    /** Seconds for kept forms after a visitor's answer: a worker of the web server is busy all the while. */
    private const AFTER = 1.0;

    private static bool $wanted = false;
    private static bool $hooked = false;

    /** The cron event of every five minutes. */
    public static function halt_tracker_process_queue(): void
    {
        try {
            self::schedule();
            Calm::work([self::class, 'cron']);
        } catch (\Throwable $fault) {
            self::log($fault);
        }
        Alerts::look();
    }

    /** The single event that goes on with what a tick could not finish. */
    public static function halt_tracker_continue(): void
    {
        try {
            Calm::work([self::class, 'cron']);
        } catch (\Throwable $fault) {
            self::log($fault);
        }
    }

    /** Puts the event back when it is missing. */
    public static function schedule(): void
    {
        if (!wp_next_scheduled(self::HOOK)) {
            wp_schedule_event(time() + 60, 'halt_tracker_five_minutes', self::HOOK);
        }
    }

    /** Remembers that a run makes sense once the visitor has the answer. */
    public static function after_the_answer(): void
    {
        self::$wanted = true;
        self::after_a_capture();
    }

    /** Remembers that something was taken: once the visitor has the answer, the schedule and the alerts are looked at. */
    public static function after_a_capture(): void
    {
        if (!self::$hooked) {
            self::$hooked = true;
            add_action('shutdown', [self::class, 'shutdown'], PHP_INT_MAX);
        }
    }

    /** What is done after the answer is out. Where PHP cannot end an answer early, cron does the run and looks for trouble. */
    public static function shutdown(): void
    {
        $is_out = false;
        try {
            $is_out = !wp_doing_cron() && self::end_the_answer();
            // A lost event cannot put itself back, and not every site has an administrator who comes by.
            self::schedule();
            Sapis::note();
            if ($is_out && self::$wanted && self::may_run_now()) {
                Calm::work(static fn (): array => self::run('after', 5000));
            }
        } catch (\Throwable $fault) {
            self::log($fault);
        }
        // A mail takes seconds: nobody who fills in a form waits for it.
        if ($is_out) {
            Alerts::look_after_a_capture();
        }
    }

    /** Sends the answer off, where this PHP can; says whether nobody waits any more. */
    private static function end_the_answer(): bool
    {
        $finish = function_exists('fastcgi_finish_request') ? 'fastcgi_finish_request' : (function_exists('litespeed_finish_request') ? 'litespeed_finish_request' : '');
        if ($finish === '') {
            return false;
        }
        ignore_user_abort(true);
        if (session_status() === PHP_SESSION_ACTIVE) {
            session_write_close();
        }
        $finish();
        // Whatever a listener prints from here on must not reach a log or a socket.
        ob_start(static fn (): string => '');
        return true;
    }

    /** A filter that throws counts as no change, and so does an answer of another kind. */
    private static function may_run_now(): bool
    {
        try {
            return apply_filters('halt_tracker_relay_after_response', true) !== false;
        } catch (\Throwable) {
            return true;
        }
    }

    /**
     * One run.
     *
     * @param string $caller One of `cron`, `button`, `cli`, `after`.
     * @param int    $budget Milliseconds within which steps may be begun.
     * @return array<string,mixed> The engine's report.
     * @throws EngineException
     */
    public static function run(string $caller, int $budget): array
    {
        if (function_exists('set_time_limit')) {
            @set_time_limit((int) ($budget / 1000) + 120);
        }
        if ($caller !== 'after') {
            // Part of the same budget: a person waits for a button's request, and a server cuts off a long one.
            $began = microtime(true);
            self::take_inbox();
            // Before anything is taken over or sent: nobody comes back who was erased.
            Erasures::before_a_run();
            self::adopt($budget / 2000);
            EarlierTable::take_over($budget / 4000);
            $budget = max(intdiv($budget, 4), $budget - (int) ((microtime(true) - $began) * 1000));
        } elseif (Engine::has_store() && Capture::count() > 0) {
            // The engine has just taken a form, so it can take those too that it could not: cron may be dead, or run in a PHP without it.
            Erasures::before_a_run();
            self::adopt(self::AFTER);
        }
        if (!Engine::has_store()) {
            return ['outcome' => 'idle', 'items' => [], 'left' => 0, 'next_due_at' => null, 'not_before' => null, 'reasons' => [], 'events' => []];
        }
        $report = self::ask(Engine::encode(['caller' => $caller, 'budget_ms' => $budget]));
        if ($caller !== 'after') {
            // The status brings the key that seals now, for the day on which the engine is away.
            Engine::try_status();
        }
        self::fire_events($report['events'] ?? []);
        return $report;
    }

    /**
     * Asks the engine for a run until the two counters agree.
     *
     * @return array<string,mixed> The engine's report.
     * @throws EngineException
     */
    private static function ask(string $order): array
    {
        $report = Engine::call('run', [$order]);
        // The site's counter goes up first, past every cache; only then does the engine raise its own and send. Where the two
        // do not agree, another run may have gone on since ours was read: it is read once more.
        try {
            for ($asks = 0; in_array($report['outcome'] ?? '', ['raise', 'reread'], true) && $asks < self::ASKS; $asks++) {
                $counter = (int) $report['counter'];
                $report['outcome'] === 'raise' ? Site::raise_counter($counter) : Site::$seen = $counter;
                $report = Engine::call('run', [$order]);
            }
        } finally {
            Site::$seen = null;
        }
        if (in_array($report['outcome'] ?? '', ['raise', 'reread'], true)) {
            // Others run all the time: theirs is as good as ours.
            $report['outcome'] = 'busy';
        }
        return $report;
    }

    /**
     * Moves plain secrets that stand in options into the store, sealed, and deletes the options. One that is refused stays, and
     * stops nothing.
     */
    public static function take_inbox(): void
    {
        $taken = [];
        foreach (['client_secret', 'refresh_token', 'shared_secret'] as $name) {
            $value = self::plain($name);
            if ($value === '') {
                continue;
            }
            try {
                Engine::call('saveSecret', [$name, $value], ['taking_over' => true]);
                delete_option('halt_tracker_' . $name);
                $taken[] = $name;
            } catch (\Throwable $fault) {
                self::log($fault);
            }
        }
        if ($taken !== []) {
            Audit::credentials_moved(...$taken);
        }
    }

    /** Whether the credentials that the earlier plugin sends with still stand in its options. */
    public static function holds_inbox(): bool
    {
        return self::plain('client_secret') !== '' || self::plain('refresh_token') !== '';
    }

    /** A secret as it stands in an option. */
    private static function plain(string $name): string
    {
        $value = get_option('halt_tracker_' . $name, '');
        return is_string($value) ? trim($value) : '';
    }

    /**
     * Takes over the forms that were kept without the engine.
     *
     * @param bool $discard Whether those go that do not open.
     * @return array{adopted:int,left:int,refused:int,discarded:int,codes:list<string>}
     */
    public static function adopt(float $seconds = 20, bool $discard = false): array
    {
        $result = Capture::count() > 0 ? Capture::adopt($seconds, $discard) : ['adopted' => 0, 'left' => 0, 'refused' => 0, 'discarded' => 0, 'codes' => []];
        Capture::sweep();
        if ($result['discarded'] > 0) {
            Audit::discarded($result['discarded']);
        }
        $before = get_option('halt_tracker_adoption', []);
        $after  = ['left' => $result['left'], 'refused' => $result['refused'], 'codes' => $result['codes']];
        if ($before !== $after && ($before !== [] || $result['left'] > 0)) {
            update_option('halt_tracker_adoption', $after, false);
        }
        return $result;
    }

    /**
     * Fires one of our actions; a listener that throws concerns only itself.
     *
     * @param mixed ...$arguments
     */
    public static function fire(string $action, ...$arguments): void
    {
        try {
            // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals -- the names are ours.
            do_action($action, ...$arguments);
        } catch (\Throwable $fault) {
            self::log($fault);
        }
    }

    /** One tick. */
    public static function cron(): void
    {
        if (!Engine::ready()) {
            return;
        }
        $report = self::run('cron', 20000);
        self::chain($report);
    }

    /** What is left goes on in one single event, unless the next tick is as near. @param array<string,mixed> $report */
    private static function chain(array $report): void
    {
        if (($report['outcome'] ?? '') !== 'ran' || (int) ($report['left'] ?? 0) === 0 || wp_next_scheduled(self::CONTINUE)) {
            return;
        }
        $not_before = (int) ceil(((int) ($report['not_before'] ?? 0)) / 1000);
        $due        = (int) ceil(((int) ($report['next_due_at'] ?? 0)) / 1000);
        $at         = max(time() + 5, $not_before, $due);
        if ($at < time() + 300) {
            wp_schedule_single_event($at, self::CONTINUE);
        }
    }

    /** @param list<array<string,mixed>> $events */
    private static function fire_events(array $events): void
    {
        foreach ($events as $event) {
            $id   = (string) ($event['id'] ?? '');
            $code = (string) ($event['code'] ?? '');
            match ($event['event'] ?? '') {
                'delivered'    => self::fire('halt_tracker_submission_delivered', $id, (string) ($event['record_type'] ?? ''), (int) ($event['tracker_id'] ?? 0)),
                'failed'       => self::fire('halt_tracker_submission_failed', $id, $code),
                'attention'    => self::fire('halt_tracker_submission_attention', $id, $code),
                'lane_paused'  => self::fire('halt_tracker_lane_paused', (string) ($event['reason'] ?? '')),
                'lane_resumed' => self::fire('halt_tracker_lane_resumed', (string) ($event['reason'] ?? '')),
                default        => null,
            };
        }
    }

    /** One line with a code; never a trace, traces carry values. */
    private static function log(\Throwable $fault): void
    {
        $code = $fault instanceof EngineException ? $fault->ht_code : 'HT-1004';
        // Nothing has arrived yet, or somebody else is at it: no news.
        if (!in_array($code, ['HT-1115', 'HT-1607'], true)) {
            // phpcs:ignore WordPress.PHP.DevelopmentFunctions
            error_log('halt-tracker ' . $code . ' ' . get_class($fault));
        }
    }
}
