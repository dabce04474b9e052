<?php
/**
 * The one gate to the PHP extension: nothing else of the plugin calls it, so that versions, arguments and faults are handled once.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Calls of `Halt\Tracker\Engine`; every failure is an {@see EngineException}. */
final class Engine
{
    /** The interface that this plugin was written for. */
    public const API = '1.0';

    private const CLASS_NAME = 'Halt\\Tracker\\Engine';

    /** @var array<string,mixed>|null */
    private static ?array $version = null;

    /** One of `running`, `outdated`, `incompatible`, `absent`: the same word on every screen. */
    public static function state(): string
    {
        $api = explode('.', (string) (self::version()['api'] ?? ''));
        if (count($api) !== 2) {
            return self::present() ? 'incompatible' : 'absent';
        }
        [$major, $minor] = array_map('intval', explode('.', self::API));
        if ((int) $api[0] !== $major) {
            return 'incompatible';
        }
        return (int) $api[1] < $minor ? 'outdated' : 'running';
    }

    /** Whether the engine may be called. */
    public static function ready(): bool
    {
        return in_array(self::state(), ['running', 'outdated'], true);
    }

    /** The code that explains the state, or an empty text when all is well. */
    public static function state_code(): string
    {
        return ['absent' => 'HT-1001', 'incompatible' => 'HT-1002', 'outdated' => 'HT-1003'][self::state()] ?? '';
    }

    /**
     * What the extension says about itself; empty when it is absent.
     *
     * @return array<string,mixed>
     */
    public static function version(): array
    {
        if (self::$version === null) {
            try {
                $said = self::present() ? json_decode((string) call_user_func([self::CLASS_NAME, 'version']), true) : [];
                self::$version = is_array($said) ? $said : [];
            } catch (\Throwable) {
                self::$version = [];
            }
        }
        return self::$version;
    }

    /**
     * A call that touches the store; the answer is decoded, and what it asks to be remembered is kept.
     *
     * @param string             $method    Name of the engine's method.
     * @param list<string|int>   $arguments What follows directory, site and settings.
     * @param array<string,mixed> $extra    Settings of this one call.
     * @return array<string,mixed>
     * @throws EngineException
     */
    public static function call(string $method, array $arguments = [], array $extra = []): array
    {
        $text   = self::raw($method, $arguments, $extra);
        $answer = json_decode($text, true);
        if (!is_array($answer)) {
            throw new EngineException('HT-1005', $method . ' gave no JSON object');
        }
        try {
            self::remember($answer);
        } catch (\Throwable $fault) {
            // What was done is done, and the engine asks again next time: a form that it has is not kept a second time.
            unset($fault);
        }
        // New credentials cure a pause by themselves.
        if (is_string($answer['resumed'] ?? null)) {
            Relay::fire('halt_tracker_lane_resumed', $answer['resumed']);
        }
        return $answer;
    }

    /**
     * The same without decoding: for file contents, and where empty objects must stay objects.
     *
     * @param list<string|int>   $arguments
     * @param array<string,mixed> $extra
     * @throws EngineException
     */
    public static function raw(string $method, array $arguments = [], array $extra = []): string
    {
        self::guard();
        // Looking makes no store: it is made by the first submission or the first secret.
        if (in_array($method, ['status', 'list', 'get', 'preview', 'file'], true) && !self::has_store()) {
            throw new EngineException('HT-1115');
        }
        try {
            $around = [Places::data_dir(), Site::json(), Options::engine_json($extra)];
            return (string) call_user_func([self::CLASS_NAME, $method], ...$around, ...$arguments);
        } catch (EngineException $fault) {
            throw $fault;
        } catch (\Throwable $fault) {
            throw self::translate($fault);
        }
    }

    /**
     * Checks settings before they are saved; touches no store.
     *
     * @param array<string,mixed> $settings As they would be saved, by name without prefix.
     * @return array{errors:list<array<string,mixed>>,warnings:list<array<string,mixed>>}
     * @throws EngineException
     */
    public static function check(array $settings): array
    {
        self::guard();
        try {
            $answer = json_decode((string) call_user_func([self::CLASS_NAME, 'check'], self::encode((object) $settings)), true);
        } catch (\Throwable $fault) {
            throw self::translate($fault);
        }
        return ['errors' => $answer['errors'] ?? [], 'warnings' => $answer['warnings'] ?? []];
    }

    /**
     * The state of the store, or the reason why there is none to show.
     *
     * @return array{0:array<string,mixed>|null,1:EngineException|null}
     */
    public static function try_status(): array
    {
        try {
            return [self::call('status'), null];
        } catch (EngineException $fault) {
            return [null, $fault];
        }
    }

    /**
     * Does an action by hand.
     *
     * @param array<string,mixed> $action
     * @return array<string,mixed>
     * @throws EngineException
     */
    public static function act(array $action): array
    {
        $answer = self::call('act', [self::encode($action)]);
        $done = ($answer['changed'] ?? []) !== [];
        match ($action['action'] ?? '') {
            'erase'           => Erasures::after_one(),
            'pause'           => Relay::fire('halt_tracker_lane_paused', 'by hand'),
            'resume'          => $done ? Relay::fire('halt_tracker_lane_resumed', (string) ($action['reason'] ?? 'by hand')) : null,
            'confirm_restore' => $done ? Relay::fire('halt_tracker_lane_resumed', 'restored') : null,
            'restore'         => Relay::fire('halt_tracker_lane_paused', 'restored'),
            default           => null,
        };
        return $answer;
    }

    /**
     * Whether this site ever had a store. One that lies there whole counts even while the site has not saved its epoch:
     * a crash can come between making and remembering. The mark alone would not do, because opening would then make a store.
     */
    public static function has_store(): bool
    {
        if ((string) get_option('halt_tracker_epoch', '') !== '') {
            return true;
        }
        $dir = Places::known_data_dir();
        return $dir !== '' && @is_file($dir . '/' . Places::MARKER) && @is_file($dir . '/' . Places::DATABASE);
    }

    /** Keeps what an answer brings: whose the store is, and the key under which a form is sealed while the engine is away. @param array<string,mixed> $answer */
    public static function remember(array $answer): void
    {
        $site = $answer['site'] ?? [];
        if (isset($site['epoch'], $site['counter'])) {
            Site::remember((string) $site['epoch'], (int) $site['counter'], (string) ($site['install_id'] ?? ''));
        }
        $keys = $site['keys'] ?? $answer['keys'] ?? [];
        if (isset($keys['current'], $keys['public'])) {
            KeyFile::remember((string) $keys['current'], (string) $keys['public']);
        }
    }

    /**
     * JSON as the engine reads it: bytes that are not UTF-8 are replaced, never a reason to lose a form.
     *
     * @param mixed $value
     */
    public static function encode($value): string
    {
        return (string) json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR);
    }

    /** The file that the extension was loaded from, as this process sees it; empty where the system does not tell. */
    public static function library(): string
    {
        $maps = self::present() && @is_readable('/proc/self/maps') ? (string) @file_get_contents('/proc/self/maps') : '';
        return preg_match('#\s(/\S*halt_tracker\S*\.so)(?: \(deleted\))?$#m', $maps, $found) ? $found[1] : '';
    }

    private static function present(): bool
    {
        return class_exists(self::CLASS_NAME, false);
    }

    private static function guard(): void
    {
        if (!self::ready()) {
            throw new EngineException(self::state_code());
        }
    }

    private static function translate(\Throwable $fault): EngineException
    {
        $is_ours = is_a($fault, 'Halt\\Tracker\\Exception');
        $code    = $is_ours && $fault->getCode() >= 1000 ? 'HT-' . $fault->getCode() : 'HT-1004';
        return new EngineException($code, $is_ours ? $fault->getMessage() : get_class($fault));
    }
}
