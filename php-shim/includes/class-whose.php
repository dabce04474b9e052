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
            throw new EngineException('HT-1105', 'HALT_TRACKER_DATA_DIR in wp-config.php names the folder; give this site another one');
        }
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
        self::forget(defined('HALT_TRACKER_DATA_DIR') ? ['epoch', 'counter'] : ['data_dir', 'epoch', 'counter']);
        // The new store begins paused: the lost one may have sent what comes again.
        Site::write(['halt_tracker_start_new' => '1']);
    }

    /**
     * The store lies in another folder than the site remembers: it is used there, if it is this site's own.
     *
     * @throws EngineException When nothing of this site's lies there; then all stays as it was.
     */
    public static function it_is_at(string $path): void
    {
        if (defined('HALT_TRACKER_DATA_DIR')) {
            throw new EngineException('HT-1106', 'HALT_TRACKER_DATA_DIR in wp-config.php names the folder; correct it there');
        }
        $dir = rtrim($path, '/');
        if (!str_starts_with($dir, '/') || !@is_file($dir . '/' . Places::MARKER) || !@is_file($dir . '/' . Places::DATABASE)) {
            throw new EngineException('HT-1106', __('There is no store of this site in that folder.', 'halt-tracker'));
        }
        $before = (string) get_option('halt_tracker_data_dir', '');
        Site::write(['halt_tracker_data_dir' => $dir]);
        [$status, $fault] = Engine::try_status();
        if ($status === null && $fault !== null) {
            Site::write(['halt_tracker_data_dir' => $before]);
            throw $fault;
        }
    }

    /** @param list<string> $names */
    private static function forget(array $names): void
    {
        foreach ($names as $name) {
            delete_option('halt_tracker_' . $name);
        }
    }
}
