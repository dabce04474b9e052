<?php
/**
 * Tries to read the data folder and the key over the web, as a stranger would; both must be out of reach.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

use Halt\Tracker\WordPress\Ground;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Site;

defined('ABSPATH') || exit;

/** Two small requests to this very site, and only where the folders lie below something that is delivered. */
final class Folder
{
    /** @return array{0:string,1:string,2:string} */
    public static function check(): array
    {
        $good = __('The data folder cannot be read over the web', 'halt-tracker');
        $dir  = Places::known_data_dir();
        $key  = Places::known_key_file();
        $all  = array_filter([
            $dir !== '' ? self::address($dir . '/' . Places::MARKER) : '',
            $key !== '' ? self::address($key) : '',
        ]);
        if ($all === []) {
            return ['good', $good, __('It lies outside of every folder that this site is known to deliver.', 'halt-tracker')];
        }
        foreach ($all as $url) {
            $answer = wp_remote_get($url, Probe::arguments(['limit_response_size' => 4096, 'timeout' => 10]));
            $body   = is_wp_error($answer) ? '' : (string) wp_remote_retrieve_body($answer);
            if ($body !== '' && (str_contains($body, Site::install_id()) || str_contains($body, '<?php'))) {
                // A name of 32 random digits keeps strangers out as long as nobody tells it; a chosen one does not.
                $hidden = preg_match('#/halt-tracker-(key-)?[0-9a-f]{32}(/|$)#', $url) === 1;
                return [$hidden ? 'recommended' : 'critical', __('The data folder can be read over the web', 'halt-tracker'), __('What is in it is sealed, but nobody should be able to download it. Deny access in the configuration of the web server, or move it: copy data folder and key folder, named under Info, to places outside of the site first, then name these in wp-config.php: HALT_TRACKER_DATA_DIR and HALT_TRACKER_KEY_FILE. Delete the old folders once the site works with the new ones.', 'halt-tracker')];
            }
        }
        return ['good', $good, __('It was tried just now.', 'halt-tracker')];
    }

    /** The address under which a file would be delivered, if it lies below something that is. */
    private static function address(string $path): string
    {
        // The uploads first: they are often a link to a folder outside of the site.
        $uploads = Ground::uploads();
        $roots   = $uploads === '' ? [] : [$uploads => (string) preg_replace('#/sites/\d+$#', '', (string) (wp_upload_dir(null, false)['baseurl'] ?? ''))];
        $roots  += [WP_CONTENT_DIR => content_url(), rtrim(ABSPATH, '/') => site_url()];
        // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- a path of the server's own configuration.
        $documents = isset($_SERVER['DOCUMENT_ROOT']) && is_string($_SERVER['DOCUMENT_ROOT']) ? rtrim(wp_unslash($_SERVER['DOCUMENT_ROOT']), '/') : '';
        if ($documents !== '') {
            $home  = wp_parse_url(home_url());
            $roots += [$documents => ($home['scheme'] ?? 'https') . '://' . ($home['host'] ?? '') . (isset($home['port']) ? ':' . $home['port'] : '')];
        }
        foreach ($roots as $root => $url) {
            foreach (array_unique([$root, (string) @realpath($root)]) as $real) {
                if ($real !== '' && str_starts_with($path, $real . '/')) {
                    return $url . substr($path, strlen($real));
                }
            }
        }
        return '';
    }
}
