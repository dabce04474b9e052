<?php
/**
 * Runs again and again, for a service manager: it stops between two runs when it is told to, and when what it runs was replaced.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Relay;

use const Halt\Tracker\WordPress\PLUGIN_FILE;

defined('ABSPATH') || exit;

/** `wp halt-tracker work`. */
final class Worker
{
    /** Short runs, because a signal waits until the engine comes back. */
    private const BUDGET = 5000;

    /** Seconds between two looks when nothing is due. */
    private const REST = 10;

    private bool $stop = false;

    /**
     * Runs until SIGTERM, for one hour at most: a service manager starts it anew.
     *
     * ## OPTIONS
     *
     * [--for=<seconds>]
     * : End after this time.
     * ---
     * default: 3600
     * ---
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function work($args, $options): void
    {
        $this->listen();
        $until = time() + min(HOUR_IN_SECONDS, max(1, (int) ($options['for'] ?? HOUR_IN_SECONDS)));
        $stamp = self::stamp();
        $why   = __('its time is over', 'halt-tracker');
        while (time() < $until) {
            if (self::stamp() !== $stamp) {
                $why = __('plugin or engine were changed', 'halt-tracker');
                break;
            }
            // Settings may have changed meanwhile, and this process lives long.
            wp_cache_flush_runtime();
            $busy = self::turn();
            for ($seconds = $busy ? 1 : self::REST; $seconds > 0 && !$this->stop && time() < $until; $seconds--) {
                sleep(1);
            }
            if ($this->stop) {
                $why = __('it was asked to stop', 'halt-tracker');
                break;
            }
        }
        /* translators: %s: the reason */
        \WP_CLI::success(sprintf(__('Ended: %s.', 'halt-tracker'), $why));
    }

    /** One run; says whether the next one is due at once. */
    private static function turn(): bool
    {
        try {
            $report = Relay::run('cli', self::BUDGET);
        } catch (EngineException $fault) {
            \WP_CLI::warning(Messages::title($fault->ht_code));
            return false;
        }
        foreach ($report['items'] ?? [] as $item) {
            \WP_CLI::line($item['id'] . ' ' . $item['state']);
        }
        return ($report['outcome'] ?? '') === 'ran' && (int) ($report['left'] ?? 0) > 0 && ($report['items'] ?? []) !== [];
    }

    private function listen(): void
    {
        if (function_exists('pcntl_signal') && function_exists('pcntl_async_signals')) {
            pcntl_async_signals(true);
            foreach ([SIGTERM, SIGINT] as $signal) {
                pcntl_signal($signal, function (): void {
                    $this->stop = true;
                });
            }
        }
    }

    /** What this process runs, as it lies on the disk now: the plugin, whether it is active, and the engine's file. */
    private static function stamp(): string
    {
        clearstatcache();
        wp_cache_flush_runtime();
        $name  = plugin_basename(PLUGIN_FILE);
        $parts = [(string) in_array($name, (array) get_option('active_plugins', []), true), (string) (is_multisite() && isset(((array) get_site_option('active_sitewide_plugins', []))[$name]))];
        foreach ([PLUGIN_FILE, Engine::library()] as $file) {
            $about   = $file !== '' ? @stat($file) : false;
            $parts[] = $about === false ? 'gone' : $about['ino'] . ':' . $about['mtime'] . ':' . $about['size'];
        }
        return implode(' ', $parts);
    }
}
