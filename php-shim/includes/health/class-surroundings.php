<?php
/**
 * Checks what the plugin stands on: the engine and its file, the other PHP of this server, Divi, and the earlier plugin.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

use Halt\Tracker\WordPress\DiviContent;
use Halt\Tracker\WordPress\Earlier;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Health;

defined('ABSPATH') || exit;

/** Each check gives status, headline and text. */
final class Surroundings
{
    /** The first version of Divi that hands over what a form says. */
    private const DIVI = '4.13.1';

    /** Loaded, and of a version that fits. @return array{0:string,1:string,2:string} */
    public static function engine(): array
    {
        $code = Engine::state_code();
        if ($code === '') {
            return ['good', __('The engine is running', 'halt-tracker'), __('The PHP extension is loaded and fits this plugin.', 'halt-tracker')];
        }
        return Health::by_code($code, $code === 'HT-1003' ? 'recommended' : 'critical');
    }

    /** Whether the file that lies there was built for this PHP. @return array{0:string,1:string,2:string} */
    public static function binary(): array
    {
        $file = Engine::ready() ? '' : Binary::file();
        if ($file === '') {
            return ['good', Engine::ready() ? __('The extension file fits this PHP', 'halt-tracker') : __('No extension file was found', 'halt-tracker'), ''];
        }
        $built = Binary::build_of($file);
        $here  = Binary::build_of_php();
        if ($built !== '' && $here !== '' && $built !== $here) {
            /* translators: 1: path of a file, 2: a build id such as "API20220829,NTS", 3: the same of PHP */
            return ['critical', __('The extension file was built for another PHP', 'halt-tracker'), sprintf(__('%1$s was built for %2$s, but this PHP takes %3$s only. Install the file that was built for it.', 'halt-tracker'), $file, $built, $here)];
        }
        /* translators: %s: path of a file */
        return ['critical', __('The extension file is there, but PHP has not loaded it', 'halt-tracker'), sprintf(__('%s fits this PHP. Restart PHP; if that does not help, its error log says why it was not loaded.', 'halt-tracker'), $file)];
    }

    /** Command line and web often run different PHPs. @return array{0:string,1:string,2:string} */
    public static function everywhere(): array
    {
        Sapis::note();
        $without = array_keys(Sapis::without_engine());
        if (Engine::ready() && $without !== []) {
            /* translators: %s: names such as "cli 8.2" */
            return ['recommended', __('Another PHP of this server runs without the engine', 'halt-tracker'), sprintf(__('Seen without it: %s. What that PHP takes is kept sealed and delivered later; a cron that runs on it delivers nothing. Load the extension there too.', 'halt-tracker'), implode(', ', $without))];
        }
        return ['good', __('Every PHP that was seen has the engine', 'halt-tracker'), ''];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function divi(): array
    {
        $version = self::divi_version();
        if ($version === '') {
            return ['good', __('Divi is not active', 'halt-tracker'), __('Only the webhook brings submissions then.', 'halt-tracker')];
        }
        if (version_compare($version, self::DIVI, '<')) {
            /* translators: %s: version of Divi */
            $title = sprintf(__('Divi %s does not hand over its forms', 'halt-tracker'), $version);
            /* translators: %s: version of Divi that is needed */
            return ['critical', $title, sprintf(__('Forms of this site are not received. Update Divi to %s or newer.', 'halt-tracker'), self::DIVI)];
        }
        $old = version_compare($version, '5.0', '>=') ? DiviContent::unconverted() : 0;
        if ($old > 0) {
            /* translators: %s: number of pages */
            return ['recommended', sprintf(_n('%s page still holds a form of Divi 4', '%s pages still hold forms of Divi 4', $old, 'halt-tracker'), number_format_i18n($old)), __('They work as long as Divi 5 can show them; convert them in the builder, then send a marked test.', 'halt-tracker')];
        }
        /* translators: %s: version of Divi */
        return ['good', sprintf(__('Divi %s hands over its forms', 'halt-tracker'), $version), ''];
    }

    /** @return array{0:string,1:string,2:string} */
    public static function earlier(): array
    {
        $from = Earlier::loaded_from();
        if ($from !== '') {
            /* translators: %s: path of a file */
            return ['recommended', __('The earlier Halt Tracker plugin is still loaded', 'halt-tracker'), sprintf(__('It is loaded from %s. It no longer takes forms, so nothing is sent twice; please remove it.', 'halt-tracker'), $from)];
        }
        return ['good', __('The earlier Halt Tracker plugin is not loaded', 'halt-tracker'), ''];
    }

    /** The version of Divi's builder, as theme or as plugin; empty without it. */
    public static function divi_version(): string
    {
        foreach (['ET_BUILDER_PRODUCT_VERSION', 'ET_BUILDER_PLUGIN_VERSION', 'ET_CORE_VERSION'] as $name) {
            if (defined($name) && is_string(constant($name)) && constant($name) !== '') {
                return constant($name);
            }
        }
        $theme = wp_get_theme(get_template());
        return in_array($theme->get_template(), ['Divi', 'Extra'], true) ? (string) $theme->get('Version') : '';
    }
}
