<?php
/**
 * Removes a site's data when its owner asked for that; without that wish, and from folders that are not marked as ours, it removes nothing.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Used by uninstalling and by the deletion of a site of a network. */
final class Cleaner
{
    /** Cleans up the current site. */
    public static function site(): void
    {
        global $wpdb;
        wp_clear_scheduled_hook('halt_tracker_process_queue');
        wp_clear_scheduled_hook('halt_tracker_continue');
        if (!Options::is_on('delete_on_uninstall')) {
            return;
        }
        $install = (string) get_option('halt_tracker_install_id', '');
        if ($install !== '' && !self::belongs_to_another()) {
            self::folder(Places::known_data_dir(), $install);
            $key = Places::known_key_file();
            self::folder($key === '' ? '' : dirname($key), $install);
        }
        // phpcs:disable WordPress.DB -- removal of our own rows and table, once.
        $wpdb->query('DROP TABLE IF EXISTS `' . Capture::table() . '`');
        foreach (['halt\\_tracker\\_%', '\\_transient\\_halt\\_tracker\\_%', '\\_transient\\_timeout\\_halt\\_tracker\\_%'] as $names) {
            $wpdb->query($wpdb->prepare("DELETE FROM {$wpdb->options} WHERE option_name LIKE %s", $names));
        }
        // phpcs:enable
        delete_metadata('user', 0, 'halt_tracker_dismissed', '', true);
        wp_cache_flush();
    }

    /** A copied site names the live site's folder: where the engine can tell, its word counts. */
    private static function belongs_to_another(): bool
    {
        if (!Engine::ready()) {
            return false;
        }
        $fault = Engine::try_status()[1];
        return $fault !== null && $fault->ht_code === 'HT-1105';
    }

    /** Removes a folder that carries our marker with this site's name in it. */
    private static function folder(string $dir, string $install): void
    {
        $marker = $dir . '/' . Places::MARKER;
        if ($dir === '' || is_link($dir) || !@is_file($marker) || trim((string) @file_get_contents($marker)) !== $install) {
            return;
        }
        $inside = new \RecursiveIteratorIterator(
            new \RecursiveDirectoryIterator($dir, \FilesystemIterator::SKIP_DOTS),
            \RecursiveIteratorIterator::CHILD_FIRST
        );
        foreach ($inside as $entry) {
            $path = $entry->getPathname();
            $entry->isDir() && !$entry->isLink() ? @rmdir($path) : @unlink($path);
        }
        @rmdir($dir);
        // In a network the store lies one level down in a folder made for it.
        if (preg_match('#/halt-tracker-[0-9a-f]{32}/site-\d+$#', $dir)) {
            @unlink(dirname($dir) . '/index.php');
            @unlink(dirname($dir) . '/.htaccess');
            @rmdir(dirname($dir));
        }
    }
}
