<?php
/**
 * Reads the settings and hands them to the engine; the engine judges them, so no value is parsed or checked here.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The table of settings, with constants before saved values. */
final class Options
{
    /** Secrets that an administrator may enter. */
    public const SECRETS = ['client_secret', 'refresh_token', 'api_token', 'shared_secret'];

    /** @var array<string,array<string,mixed>>|null */
    private static ?array $table = null;

    /** @return array<string,array<string,mixed>> Row by name. */
    public static function table(): array
    {
        self::$table ??= array_column(require __DIR__ . '/settings-table.php', null, 'name');
        return self::$table;
    }

    /** @return array<string,array<string,mixed>> The rows of a tab. */
    public static function tab(string $tab): array
    {
        return array_filter(self::table(), static fn (array $row): bool => $row['tab'] === $tab);
    }

    /** Whether a constant decides this setting. */
    public static function is_locked(string $name): bool
    {
        return defined(self::constant($name));
    }

    /** The name of the constant of a setting. */
    public static function constant(string $name): string
    {
        return 'HALT_TRACKER_' . strtoupper($name);
    }

    /** The value in force, as text: constant, else saved, else the default. */
    public static function text(string $name): string
    {
        $value = self::is_locked($name) ? constant(self::constant($name)) : get_option('halt_tracker_' . $name, null);
        return $value === null ? (string) (self::table()[$name]['default'] ?? '') : self::as_text($value);
    }

    /** Whether a switch is on. */
    public static function is_on(string $name): bool
    {
        return !in_array(trim(self::text($name)), ['', '0', 'false'], true);
    }

    /** Saves one setting; a locked one is left alone. */
    public static function save(string $name, string $value): void
    {
        if (!self::is_locked($name) && isset(self::table()[$name])) {
            update_option('halt_tracker_' . $name, $value, false);
        }
    }

    /**
     * What was saved or is given as a constant, by name; never a secret.
     *
     * @return array<string,string>
     */
    public static function values(): array
    {
        $names = array_keys(array_filter(self::table(), static fn (array $row): bool => !in_array($row['kind'], ['secret', 'internal'], true)));
        if (function_exists('wp_prime_option_caches')) {
            wp_prime_option_caches(array_map(static fn (string $name): string => 'halt_tracker_' . $name, $names));
        }
        $values = [];
        foreach ($names as $name) {
            $value = self::is_locked($name) ? constant(self::constant($name)) : get_option('halt_tracker_' . $name, null);
            if ($value !== null) {
                $values[$name] = self::as_text($value);
            }
        }
        return $values;
    }

    /**
     * The settings argument of a store call.
     *
     * @param array<string,mixed> $extra
     */
    public static function engine_json(array $extra = []): string
    {
        return Engine::encode((object) array_merge(self::values(), self::surroundings(), $extra));
    }

    /** @return array<string,mixed> What the engine has to know about this server beyond the settings. */
    public static function surroundings(): array
    {
        $around = [
            'key_file'     => Places::key_file(),
            'paused'       => defined('HALT_TRACKER_PAUSED') && (bool) constant('HALT_TRACKER_PAUSED'),
            'constants'    => (object) self::secret_constants(),
            'open_basedir' => (string) ini_get('open_basedir'),
            // Minutes, so that a webhook's time of receipt is told in the site's zone, as a form's is.
            'utc_offset'   => intdiv(wp_timezone()->getOffset(new \DateTimeImmutable()), 60),
        ];
        foreach (['ca_file', 'oauth_url', 'api_url'] as $name) {
            if (self::is_locked($name)) {
                $around[$name] = self::as_text(constant(self::constant($name)));
            }
        }
        if (defined('WP_PROXY_HOST') && WP_PROXY_HOST !== '') {
            $who = defined('WP_PROXY_USERNAME') && defined('WP_PROXY_PASSWORD')
                ? rawurlencode((string) WP_PROXY_USERNAME) . ':' . rawurlencode((string) WP_PROXY_PASSWORD) . '@' : '';
            $port = defined('WP_PROXY_PORT') ? ':' . WP_PROXY_PORT : '';
            $around['proxy']        = 'http://' . $who . preg_replace('#^https?://#', '', (string) WP_PROXY_HOST) . $port;
            $around['proxy_bypass'] = defined('WP_PROXY_BYPASS_HOSTS') ? (string) WP_PROXY_BYPASS_HOSTS : '';
        }
        if (defined('WP_HTTP_BLOCK_EXTERNAL') && WP_HTTP_BLOCK_EXTERNAL) {
            $hosts = defined('WP_ACCESSIBLE_HOSTS') ? explode(',', (string) WP_ACCESSIBLE_HOSTS) : [];
            $around['blocked_hosts'] = array_values(array_filter(array_map('trim', $hosts), static fn (string $host): bool => $host !== ''));
        }
        return $around;
    }

    /** Declares types, defaults and validation to WordPress; nothing of it is visible over REST. */
    public static function register(): void
    {
        foreach (self::table() as $name => $row) {
            if ($row['tab'] !== '' && $row['kind'] !== 'secret') {
                register_setting('halt_tracker', 'halt_tracker_' . $name, [
                    'type'              => 'string',
                    'description'       => $row['label'],
                    'show_in_rest'      => false,
                    'sanitize_callback' => [self::class, 'as_text'],
                ]);
            }
        }
    }

    /**
     * Any stored value as the text that the engine expects.
     *
     * @param mixed $value
     */
    public static function as_text($value): string
    {
        if (is_bool($value)) {
            return $value ? '1' : '';
        }
        return is_scalar($value) ? (string) $value : (is_array($value) ? Engine::encode($value) : '');
    }

    /** @return array<string,string> */
    private static function secret_constants(): array
    {
        $given = [];
        foreach (self::SECRETS as $name) {
            if (self::is_locked($name)) {
                $given[$name] = self::as_text(constant(self::constant($name)));
            }
        }
        return $given;
    }
}
