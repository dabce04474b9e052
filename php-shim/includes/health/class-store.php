<?php
/**
 * Checks what lies on the disk and in the database: the store, whose it is, its keys, and forms that wait outside of it.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

use Halt\Tracker\WordPress\Capture;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Ground;
use Halt\Tracker\WordPress\Health;
use Halt\Tracker\WordPress\Lost;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Pulse;

defined('ABSPATH') || exit;

/** Each check gives status, headline and text. */
final class Store
{
    /** Writable and private. @return array{0:string,1:string,2:string} */
    public static function store(): array
    {
        [$status, $fault] = Health::status();
        if ($status === null && $fault !== null && !in_array($fault->ht_code, ['HT-1115', 'HT-1001', 'HT-1002', 'HT-1105'], true)) {
            return Health::by_code($fault->ht_code, 'critical');
        }
        if (!Places::has_room()) {
            return ['critical', ...self::no_room()];
        }
        $dir = Places::known_data_dir();
        if ($dir !== '' && @is_dir($dir) && !@is_writable($dir)) {
            return Health::by_code('HT-1101', 'critical');
        }
        $mode = $dir !== '' ? (int) @fileperms($dir) & 0077 : 0;
        if ($mode !== 0) {
            return ['critical', __('The data folder can be read by others', 'halt-tracker'), __('Its permissions should be 0700.', 'halt-tracker')];
        }
        foreach (array_filter([$dir, Places::known_key_file()]) as $path) {
            $home = Ground::home_of_release($path);
            if ($home !== '') {
                return ['critical', __('The next deployments delete the store or its key', 'halt-tracker'), /* translators: 1: a path, 2: a path */ sprintf(__('%1$s lies in a release of this site. Deployments make a new release each time and later delete the old ones: everything that is not sent, the credentials and the key would go with it. Copy data folder and key folder, named under Info, into %2$s or another folder that stays, and name them in wp-config.php: HALT_TRACKER_DATA_DIR and HALT_TRACKER_KEY_FILE.', 'halt-tracker'), $path, $home)];
            }
        }
        if ($dir !== '' && Ground::is_below_web_root($dir)) {
            // Where a store exists, a constant alone would point past it (HT-1106).
            return ['recommended', __('The data folder lies below the web root', 'halt-tracker'), Engine::has_store()
                ? __('Its contents are sealed and deny files protect it. A folder outside is better: copy the data folder, named under Info, there first, then name the new place in wp-config.php: HALT_TRACKER_DATA_DIR.', 'halt-tracker')
                : __('Its contents are sealed and deny files protect it. A folder outside is better: set HALT_TRACKER_DATA_DIR before the first submission.', 'halt-tracker')];
        }
        return ['good', __('The store is in order', 'halt-tracker'), __('Back it up with wp halt-tracker backup: a copy of the data folder that is made by hand may catch a half write. Back up the key folder too, in another place; both are named under Info.', 'halt-tracker')];
    }

    /** Said before the first form comes: there is no folder for it. @return array{0:string,1:string} */
    public static function no_room(): array
    {
        return [
            __('Forms cannot be kept: no folder can be written', 'halt-tracker'),
            __('Halt Tracker found no folder for its store and its key. Until there is one, each form is lost unless the notification e-mail arrives. Give the web server’s user write access to wp-content/uploads, or name folders that it may write in wp-config.php: HALT_TRACKER_DATA_DIR and HALT_TRACKER_KEY_FILE.', 'halt-tracker'),
        ];
    }

    /** Whether this site is the one that the store belongs to. @return array{0:string,1:string,2:string} */
    public static function copy(): array
    {
        [$status, $fault] = Health::status();
        if ($fault !== null && $fault->ht_code === 'HT-1105') {
            return Health::by_code('HT-1105', 'critical');
        }
        foreach ($status['lane']['reasons'] ?? [] as $reason) {
            if (in_array($reason['reason'], ['site', 'restored'], true)) {
                return Health::by_code((string) ($reason['code'] ?? 'HT-1105'), 'recommended');
            }
        }
        return ['good', __('The store belongs to this site', 'halt-tracker'), ''];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function keys(): array
    {
        $file = Places::known_key_file();
        if ($file !== '' && Engine::has_store() && !@is_file($file)) {
            return Health::by_code('HT-1301', 'critical');
        }
        if ($file !== '' && @is_file($file) && !@is_readable($file)) {
            return Health::by_code('HT-1302', 'critical');
        }
        foreach (Health::status()[0]['lane']['reasons'] ?? [] as $reason) {
            if ($reason['reason'] === 'key') {
                return Health::by_code((string) ($reason['code'] ?? 'HT-1303'), 'critical');
            }
        }
        return ['good', __('The keys are in order', 'halt-tracker'), __('Back up the whole key folder, named under Info: it may hold several keys, and what is sealed under one that is missing cannot be read.', 'halt-tracker')];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function captured(): array
    {
        if (Lost::seen()['count'] > 0) {
            [$status, $title, $text] = Health::by_code('HT-1803', 'critical');
            return [$status, $title, $text . ' ' . Lost::cause()];
        }
        $status = Health::status()[0];
        if ($status !== null && Pulse::is_left_outside($status)) {
            /* translators: %s: a time span such as "3 hours" */
            return ['critical', sprintf(__('A form has been waiting outside the store for %s', 'halt-tracker'), human_time_diff(Capture::oldest())), __('It is kept, sealed, in the site’s own database, and no run has taken it over. Check WP-Cron, or let a real cron call wp-cron.php. Run now on the Dashboard takes it over at once.', 'halt-tracker')];
        }
        $last = get_option('halt_tracker_adoption', []);
        if (is_array($last) && (int) ($last['left'] ?? 0) > 0 && !empty($last['codes'])) {
            return Health::by_code((string) $last['codes'][0], 'recommended');
        }
        return ['good', __('No form is stuck outside the store', 'halt-tracker'), ''];
    }
}
