<?php
/**
 * Says which site calls the engine, read from SQL and not from a cache, because a stale answer could open another site's store.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The site's identity and the few options that must be written exactly once or past every cache. */
final class Site
{
    /** The store's counter, when the engine has said that the site's own does not agree with it. */
    public static ?int $seen = null;

    /**
     * The identity that every store call carries.
     *
     * @throws EngineException When the database cannot be read: an identity that is only half known is none.
     */
    public static function json(): string
    {
        $facts = self::read(['home', 'halt_tracker_install_id', 'halt_tracker_epoch', 'halt_tracker_counter', 'halt_tracker_start_new']);
        return Engine::encode([
            'install_id'  => ($facts['halt_tracker_install_id'] ?? '') !== '' ? $facts['halt_tracker_install_id'] : self::install_id(),
            'home'        => $facts['home'] ?? '',
            'epoch'       => $facts['halt_tracker_epoch'] ?? '',
            'counter'     => (int) ($facts['halt_tracker_counter'] ?? 0),
            'seen'        => self::$seen,
            'environment' => wp_get_environment_type(),
            'start_new'   => isset($facts['halt_tracker_start_new']),
        ]);
    }

    /** The random name of this installation, made once. */
    public static function install_id(): string
    {
        return self::once('halt_tracker_install_id', bin2hex(random_bytes(16)));
    }

    /** What stands in a folder of ours: whose installation, and at which address, as the engine writes it. @param string $id Another name that this installation may have had. */
    public static function mark(string $id = ''): string
    {
        $home  = strtolower(trim(self::read(['home'])['home'] ?? ''));
        $place = rtrim((string) preg_replace('#^www\\.#', '', (string) preg_replace('#^.*?://#', '', $home)), '/');
        $id    = $id !== '' ? $id : self::install_id();
        return $id . "\n" . hash_hmac('sha256', $place, $id) . "\n";
    }

    /** Keeps what the engine asks to be kept, all together or nothing; the installation's name only where it has its former one again. */
    public static function remember(string $epoch, int $counter, string $install_id = ''): void
    {
        $name = $install_id === '' ? [] : ['halt_tracker_install_id' => $install_id];
        self::write(['halt_tracker_epoch' => $epoch, 'halt_tracker_counter' => (string) $counter] + $name);
        delete_option('halt_tracker_start_new');
    }

    /** Raises the run counter; one that another request has raised higher meanwhile stays. */
    public static function raise_counter(int $counter): void
    {
        global $wpdb;
        self::once('halt_tracker_counter', '0');
        // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- in one statement, past every cache.
        $done = $wpdb->query($wpdb->prepare("UPDATE {$wpdb->options} SET option_value = %d WHERE option_name = 'halt_tracker_counter' AND CAST(option_value AS SIGNED) < %d", $counter, $counter));
        self::forget(['halt_tracker_counter']);
        if ($done === false) {
            throw new EngineException('HT-1111', 'the options table cannot be written');
        }
    }

    /**
     * Options by name, straight from the table.
     *
     * @param list<string> $names
     * @return array<string,string>
     * @throws EngineException When the database cannot be read.
     */
    public static function read(array $names): array
    {
        global $wpdb;
        $places = implode(',', array_fill(0, count($names), '%s'));
        $quiet  = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- placeholders are counted above.
        $rows   = $wpdb->get_results($wpdb->prepare("SELECT option_name, option_value FROM {$wpdb->options} WHERE option_name IN ($places)", $names));
        $failed = $wpdb->last_error !== '' || !is_array($rows);
        $wpdb->suppress_errors($quiet);
        if ($failed) {
            throw new EngineException('HT-1111', 'the options table cannot be read');
        }
        $facts = [];
        foreach ($rows as $row) {
            $facts[(string) $row->option_name] = (string) $row->option_value;
        }
        return $facts;
    }

    /** Puts a value in the place of the one that was read, unless another request was faster, and gives what is there. */
    public static function swap(string $name, string $from, string $to): string
    {
        global $wpdb;
        // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- in one statement, past every cache.
        $wpdb->query($wpdb->prepare("UPDATE {$wpdb->options} SET option_value = %s WHERE option_name = %s AND option_value = %s", $to, $name, $from));
        self::forget([$name]);
        return self::once($name, $to);
    }

    /** Writes an option unless it is there and says something, and gives what is there: of two requests at once, one wins. */
    public static function once(string $name, string $value): string
    {
        global $wpdb;
        $quiet = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- add_option() lets the last writer win.
        $wpdb->query($wpdb->prepare("INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, %s, 'no') ON DUPLICATE KEY UPDATE option_value = IF(option_value = '', VALUES(option_value), option_value)", $name, $value));
        $wpdb->suppress_errors($quiet);
        self::forget([$name]);
        $there = self::read([$name])[$name] ?? '';
        if ($there === '') {
            throw new EngineException('HT-1111', 'the options table cannot be written');
        }
        return $there;
    }

    /**
     * Writes options in one statement, past the object cache.
     *
     * @param array<string,string> $values
     */
    public static function write(array $values): void
    {
        global $wpdb;
        $places = implode(',', array_fill(0, count($values), "(%s, %s, 'no')"));
        $flat   = [];
        foreach ($values as $name => $value) {
            array_push($flat, $name, $value);
        }
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- placeholders are counted above.
        $done = $wpdb->query($wpdb->prepare("INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES $places ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)", $flat));
        self::forget(array_keys($values));
        if ($done === false) {
            throw new EngineException('HT-1111', 'the options table cannot be written');
        }
    }

    /** @param list<string> $names */
    private static function forget(array $names): void
    {
        foreach ($names as $name) {
            wp_cache_delete($name, 'options');
        }
        wp_cache_delete('alloptions', 'options');
        wp_cache_delete('notoptions', 'options');
    }
}
