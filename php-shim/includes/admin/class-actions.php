<?php
/**
 * The handlers behind the buttons: capability, nonce, input, one call, and back with a notice.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Relay;
use Halt\Tracker\WordPress\Whose;

defined('ABSPATH') || exit;

/** One method per handler, named like it. */
final class Actions
{
    public const HANDLERS = ['run', 'test', 'lane', 'unlock', 'whose', 'act', 'file', 'retire_secret'];

    /** What one submission's buttons may ask for, and who may. */
    private const DEEDS = [
        'retry'   => Capabilities::VIEW,
        'discard' => Capabilities::MANAGE,
        'spam'    => Capabilities::MANAGE,
        'release' => Capabilities::MANAGE,
        'erase'   => Capabilities::MANAGE,
        'exists'  => Capabilities::MANAGE,
        'absent'  => Capabilities::MANAGE,
    ];

    /** Run now. */
    public static function run(): void
    {
        Input::guard('run', Capabilities::MANAGE);
        self::attempt(static function (): void {
            $report = Relay::run('button', 20000);
            $left   = (int) ($report['left'] ?? 0);
            $done   = count(array_filter($report['items'] ?? [], static fn (array $item): bool => ($item['state'] ?? '') === 'done'));
            match ($report['outcome'] ?? '') {
                'busy'    => Page::flash('info', Messages::of('HT-1607')['what']),
                'paused'  => Page::flash('warning', __('Sending is paused; the reason is below.', 'halt-tracker')),
                'waiting' => Page::flash('info', Messages::of('HT-1614')['what']),
                /* translators: 1: number delivered, 2: number left */
                default   => Page::flash('success', sprintf(__('%1$s delivered, %2$s left.', 'halt-tracker'), number_format_i18n($done), number_format_i18n($left))),
            };
        });
        self::back(Menu::DASHBOARD);
    }

    /** Test connection. */
    public static function test(): void
    {
        Input::guard('test', Capabilities::MANAGE);
        self::attempt(static function (): void {
            foreach (Tested::now() as $api) {
                Page::flash($api['works'] ? 'success' : 'warning', Save::api_words($api));
            }
        });
        self::back(Menu::DASHBOARD, Input::text('back') === 'guide' ? ['guide' => '1'] : []);
    }

    /** Pause, resume, confirm after a restore. */
    public static function lane(): void
    {
        Input::guard('lane', Capabilities::MANAGE);
        $deed = Input::text('do');
        if (in_array($deed, ['pause', 'resume', 'confirm_restore'], true)) {
            self::attempt(static function () use ($deed): void {
                $reason = Input::text('reason');
                Engine::act(['action' => $deed] + ($deed === 'resume' && $reason !== '' ? ['reason' => $reason] : []));
                $still = $deed === 'pause' ? '' : Pauses::still();
                if ($still !== '') {
                    Page::flash('warning', $still . ' ' . __('What helps stands below.', 'halt-tracker'));
                    return;
                }
                Page::flash('success', $deed === 'pause' ? __('Sending is paused. Submissions are received and kept.', 'halt-tracker') : __('Done. The next run goes on.', 'halt-tracker'));
            });
        }
        self::back(Menu::DASHBOARD);
    }

    /** Clear Sync Lock: says who holds it; a living run is never overridden. */
    public static function unlock(): void
    {
        Input::guard('unlock', Capabilities::MANAGE);
        self::attempt(static function (): void {
            $holder = Engine::act(['action' => 'unlock']);
            if (empty($holder['held'])) {
                Page::flash('success', __('No run holds the lock; the next one can start.', 'halt-tracker'));
                return;
            }
            /* translators: 1: who started the run, such as "by the schedule", 2: process id, 3: a time span such as "2 minutes ago" */
            Page::flash('warning', sprintf(__('The lock is held by a living run: started %1$s, process %2$d, %3$s. It was left alone, because two runs at once could create a person twice. It is freed by itself when that process ends.', 'halt-tracker'), Words::caller((string) ($holder['caller'] ?? '')), (int) ($holder['pid'] ?? 0), Page::ago($holder['since'] ?? null)));
        });
        self::back(Menu::SETTINGS, ['tab' => 'delivery']);
    }

    /** Whose store is it? */
    public static function whose(): void
    {
        Input::guard('whose', Capabilities::MANAGE, 'manage_options');
        try {
            match (Input::text('do')) {
                'at'    => Whose::it_is_at(Input::text('path')),
                'copy'  => Whose::this_is_a_copy(),
                'moved' => Engine::act(['action' => 'moved']),
                'new'   => Whose::start_a_new_store(),
                default => throw new EngineException('HT-1903'),
            };
            Page::flash('success', Input::text('do') === 'at' ? __('The store is used where it lies now.', 'halt-tracker') : __('Done. Look at the sentence below.', 'halt-tracker'));
        } catch (EngineException $fault) {
            // The words say what stands in the way here, where the code's headline only names the trouble.
            Page::flash('error', ($fault->getMessage() !== '' ? $fault->getMessage() : $fault->sentence()) . ' ' . __('Nothing was changed.', 'halt-tracker'));
        }
        self::back(Menu::DASHBOARD);
    }

    /** What the detail view's buttons do with one submission. */
    public static function act(): void
    {
        // The least that any of them needs; each deed asks for its own.
        Input::guard('act', Capabilities::VIEW);
        $id = Input::text('id');
        self::attempt(static fn () => self::deed(Input::text('deed'), [$id], (int) Input::text('tracker_id')));
        self::back(Menu::SYNC_LOG, ['id' => $id]);
    }

    /**
     * Does an action on submissions and says what came of it. Used by the list's bulk actions too.
     *
     * @param list<string> $ids
     * @throws EngineException
     */
    public static function deed(string $deed, array $ids, int $tracker_id = 0): void
    {
        if (!isset(self::DEEDS[$deed])) {
            throw new EngineException('HT-1903');
        }
        if (!current_user_can(self::DEEDS[$deed])) {
            wp_die(esc_html__('You are not allowed to do this.', 'halt-tracker'), '', ['response' => 403]);
        }
        self::tell(Engine::act(['action' => $deed, 'ids' => $ids] + ($deed === 'exists' ? ['tracker_id' => $tracker_id] : [])));
    }

    /** Sends all that failed again; as many as one request may take. The list has checked capability and nonce. */
    public static function retry_failed(): void
    {
        self::attempt(static function (): void {
            $answer = Engine::act(['action' => 'retry', 'state' => 'failed']);
            self::tell($answer);
            if ((int) ($answer['left'] ?? 0) > 0) {
                /* translators: %s: number of submissions */
                Page::flash('info', sprintf(_n('%s more has failed: press the button again.', '%s more have failed: press the button again.', (int) $answer['left'], 'halt-tracker'), number_format_i18n((int) $answer['left'])));
            }
        });
    }

    /** What came of an action. @param array<string,mixed> $answer */
    private static function tell(array $answer): void
    {
        $changed = count($answer['changed'] ?? []);
        if ($changed > 0) {
            /* translators: %s: number of submissions */
            Page::flash('success', sprintf(_n('%s submission changed.', '%s submissions changed.', $changed, 'halt-tracker'), number_format_i18n($changed)));
        }
        foreach (array_count_values(array_column($answer['refused'] ?? [], 'code')) as $code => $count) {
            /* translators: 1: number, 2: the reason */
            Page::flash('warning', sprintf(__('%1$s left as it was: %2$s', 'halt-tracker'), number_format_i18n($count), Messages::of((string) $code)['what']));
        }
    }

    /** Hands out a stored file. */
    public static function file(): void
    {
        Input::guard('file', Capabilities::VIEW);
        $id      = Input::text('id');
        $ordinal = (int) Input::text('ordinal');
        try {
            $name = '';
            foreach (Engine::call('get', [$id])['file_list'] ?? [] as $file) {
                $name = (int) $file['ordinal'] === $ordinal ? (string) $file['name'] : $name;
            }
            $bytes = Engine::raw('file', [$id, $ordinal]);
        } catch (EngineException $fault) {
            Page::flash_fault($fault);
            self::back(Menu::SYNC_LOG, ['id' => $id]);
            return;
        }
        Audit::viewed('file', $id);
        nocache_headers();
        // Always a download, never shown by the browser: what is in it came from a stranger.
        header('Content-Type: application/octet-stream');
        header('X-Content-Type-Options: nosniff');
        header("Content-Security-Policy: sandbox; default-src 'none'");
        // nginx would lay a long answer by in a file of its own while the browser is slow.
        header('X-Accel-Buffering: no');
        header('Content-Length: ' . strlen($bytes));
        $plain = (string) preg_replace('/[^A-Za-z0-9._-]/', '_', $name !== '' ? $name : 'file');
        header('Content-Disposition: attachment; filename="' . $plain . '"; filename*=UTF-8\'\'' . rawurlencode($name !== '' ? $name : 'file'));
        // phpcs:ignore WordPress.Security.EscapeOutput -- bytes of a download.
        echo $bytes;
        exit;
    }

    /** Retires a webhook secret. */
    public static function retire_secret(): void
    {
        Input::guard('retire_secret', Capabilities::MANAGE);
        self::attempt(static function (): void {
            Engine::act(['action' => 'retire_secret', 'id' => (int) Input::text('id')]);
            Audit::credentials_changed('shared_secret');
            Page::flash('success', __('The secret is retired. Senders that still use it are refused.', 'halt-tracker'));
        });
        self::back(Menu::SETTINGS, ['tab' => 'webhook']);
    }

    private static function attempt(callable $work): void
    {
        try {
            $work();
        } catch (EngineException $fault) {
            Page::flash_fault($fault);
        }
    }

    /** @param array<string,string> $more */
    private static function back(string $page, array $more = []): void
    {
        wp_safe_redirect(Menu::url($page, $more));
        exit;
    }
}
