<?php
/**
 * Lets go of another site's store when this site is a copy, or of a store that is gone for good; nothing of the old one is written or deleted.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** A new identity for this site. */
final class Whose
{
    /**
     * A new name, a new folder, a new key: the next submission or secret makes the store there.
     *
     * @throws EngineException When a constant decides the folder, because that would be the other site's again.
     */
    public static function this_is_a_copy(): void
    {
        if (defined('HALT_TRACKER_DATA_DIR')) {
            throw new EngineException('HT-1105', __('HALT_TRACKER_DATA_DIR in wp-config.php names the folder of the other site. Give this site another folder there.', 'halt-tracker'));
        }
        Audit::store_left('copy', Places::known_data_dir(), Places::known_key_file(), Site::install_id());
        self::forget(['data_dir', 'key_file', 'public_key', 'epoch', 'counter', 'install_id']);
        Site::install_id();
    }

    /**
     * The store is gone: the same site starts an empty one in a new folder, under the keys that it has.
     *
     * @throws EngineException
     */
    public static function start_a_new_store(): void
    {
        Audit::store_left('new', Places::known_data_dir(), Places::known_key_file(), Site::install_id());
        self::forget(defined('HALT_TRACKER_DATA_DIR') ? ['epoch', 'counter'] : ['data_dir', 'epoch', 'counter']);
        // The new store begins paused: the lost one may have sent what comes again.
        Site::write(['halt_tracker_start_new' => '1']);
    }

    /**
     * The store lies in another folder than the site remembers: it is used there, if it is this site's own. It is that also where
     * the options of a copy were written over this site's own, so that only the folder still knows the site's name.
     *
     * @throws EngineException When nothing of this site's lies there; then all stays as it was.
     */
    public static function it_is_at(string $path): void
    {
        $dir = rtrim($path, '/');
        if (defined('HALT_TRACKER_DATA_DIR') && $dir !== Places::known_data_dir()) {
            throw new EngineException('HT-1106', __('HALT_TRACKER_DATA_DIR in wp-config.php names the folder. Correct it there.', 'halt-tracker'));
        }
        if (!str_starts_with($dir, '/') || !@is_file($dir . '/' . Places::MARKER) || !@is_file($dir . '/' . Places::DATABASE)) {
            throw new EngineException('HT-1106', __('There is no store of this site in that folder.', 'halt-tracker'));
        }
        $before = Site::read(['halt_tracker_data_dir', 'halt_tracker_key_file']);
        $left   = [Places::known_data_dir(), Places::known_key_file(), Site::install_id()];
        $new    = ['halt_tracker_data_dir' => $dir];
        $id     = self::name_in($dir);
        if ($id !== $left[2]) {
            $key  = self::key_beside($dir, $id);
            $new += $key === '' ? [] : ['halt_tracker_key_file' => $key];
        }
        Site::write($new);
        try {
            Engine::act(['action' => 'at']);
        } catch (EngineException $fault) {
            foreach (array_keys($new) as $name) {
                ($before[$name] ?? '') === '' ? delete_option($name) : Site::write([$name => $before[$name]]);
            }
            throw $fault;
        }
        Audit::store_left('at', ...$left);
        try {
            KeyFile::bring_along($left[1], Places::known_key_file());
        } catch (EngineException $fault) {
            // The store is in use again; a kept form that does not open is shown until its key is brought by hand.
            unset($fault);
        }
    }

    /** Whether the known folder holds the store of another installation: then none of this site's moves can have brought it there. */
    public static function is_a_strangers(): bool
    {
        $id = self::name_in(Places::known_data_dir());
        return $id !== '' && $id !== Site::install_id();
    }

    /** A folder that this very site, under whatever name, made for a store elsewhere; empty when none is seen. */
    public static function own_elsewhere(): string
    {
        $known = Places::known_data_dir();
        $found = [];
        foreach (Places::likely_folders() as $base) {
            foreach ([...(@glob($base . '/halt-tracker-*', GLOB_ONLYDIR) ?: []), ...(@glob($base . '/halt-tracker-*/site-' . get_current_blog_id(), GLOB_ONLYDIR) ?: [])] as $dir) {
                $id = self::name_in($dir);
                if ($id !== '' && $dir !== $known && @is_file($dir . '/' . Places::DATABASE) && @file_get_contents($dir . '/' . Places::MARKER) === Site::mark($id)) {
                    $found[$dir] = (int) @filemtime($dir . '/' . Places::DATABASE);
                }
            }
        }
        arsort($found);
        return (string) (array_key_first($found) ?? '');
    }

    /** The installation that a folder's mark names. */
    private static function name_in(string $dir): string
    {
        $id = strtok((string) @file_get_contents($dir . '/' . Places::MARKER), "\n");
        return is_string($id) && preg_match('/^[0-9a-f]{16,64}$/', $id) ? $id : '';
    }

    /** The key file of an installation, in a folder near its store; both were made in the same place. */
    private static function key_beside(string $dir, string $id): string
    {
        foreach ([dirname($dir), dirname($dir, 2)] as $base) {
            foreach (@glob($base . '/halt-tracker-key-*', GLOB_ONLYDIR) ?: [] as $folder) {
                if (self::name_in($folder) === $id && @is_file($folder . '/key.php')) {
                    return $folder . '/key.php';
                }
            }
        }
        return '';
    }

    /** @param list<string> $names */
    private static function forget(array $names): void
    {
        foreach ($names as $name) {
            delete_option('halt_tracker_' . $name);
        }
    }
}
