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
    /** Cleans up the current site, if its owner asked for that; says whether. */
    public static function site(): bool
    {
        global $wpdb;
        wp_clear_scheduled_hook('halt_tracker_process_queue');
        wp_clear_scheduled_hook('halt_tracker_continue');
        if (!Options::is_on('delete_on_uninstall')) {
            return false;
        }
        foreach (self::folders() as $folder) {
            self::folder($folder) || self::say_where($folder);
        }
        // phpcs:disable WordPress.DB -- removal of our own rows and table, once.
        $wpdb->query('DROP TABLE IF EXISTS `' . Capture::table() . '`');
        // Where the earlier plugin is still loaded, its table is its own.
        if (!class_exists('Halt_Tracker_Plugin', false)) {
            $wpdb->query('DROP TABLE IF EXISTS `' . EarlierTable::table() . '`');
        }
        foreach (['halt\\_tracker\\_%', '\\_transient\\_halt\\_tracker\\_%', '\\_transient\\_timeout\\_halt\\_tracker\\_%'] as $names) {
            $wpdb->query($wpdb->prepare("DELETE FROM {$wpdb->options} WHERE option_name LIKE %s", $names));
        }
        // What people chose in the Sync Log's screen options; the name of the screen begins with the menu's, in their language.
        $wpdb->query($wpdb->prepare("DELETE FROM {$wpdb->usermeta} WHERE meta_key LIKE %s", 'manage%' . $wpdb->esc_like('halt-tracker-sync-logcolumnshidden')));
        // phpcs:enable
        delete_metadata('user', 0, 'halt_tracker_per_page', '', true);
        wp_cache_flush();
        return true;
    }

    /** Names in the log what a site leaves behind: the options that name it go with the site. */
    public static function say_what_stays(): void
    {
        foreach (self::folders() as $folder) {
            if (@is_dir($folder) && function_exists('error_log')) {
                // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- a path, for the administrator.
                error_log('halt-tracker kept ' . $folder . ' of a site that was deleted; delete it by hand if it is not wanted');
            }
        }
    }

    /** @return list<string> The folders of store and key. */
    private static function folders(): array
    {
        $key = Places::known_key_file();
        return array_values(array_filter([Places::known_data_dir(), $key === '' ? '' : dirname($key)], static fn (string $dir): bool => $dir !== ''));
    }

    /** What was kept because it is not this site's for certain; the options that name it are about to go. */
    private static function say_where(string $dir): bool
    {
        if (@is_file($dir . '/' . Places::MARKER) && function_exists('error_log')) {
            // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- a path, for the administrator.
            error_log('halt-tracker kept ' . $dir . ': its mark names another address; delete it by hand if it is this site\'s');
        }
        return true;
    }

    /** Removes a folder whose mark names this installation at this address: a copied site has the same options, not the same home. */
    private static function folder(string $dir): bool
    {
        $marker = $dir . '/' . Places::MARKER;
        if ($dir === '' || is_link($dir) || !@is_file($marker) || @file_get_contents($marker) !== Site::mark()) {
            return false;
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
        return true;
    }
}
