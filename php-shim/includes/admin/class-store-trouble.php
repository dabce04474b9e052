<?php
/**
 * Shows on the Dashboard that the store cannot be used, and offers the ways out that exist; whether one works the engine decides.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Places;
use Halt\Tracker\WordPress\Whose;

defined('ABSPATH') || exit;

/** Whose store is it, and where? */
final class StoreTrouble
{
    /** The store cannot be used: what happened, and the ways out that exist. */
    public static function render(EngineException $fault): void
    {
        $dir = Places::known_data_dir();
        $rows = [
            __('Data folder', 'halt-tracker') => '<code>' . esc_html($dir) . '</code>',
        ];
        $inode = (int) @fileinode($dir);
        if ($inode > 0) {
            /* translators: name of a number that identifies a folder on a disk */
            $rows[__('Inode', 'halt-tracker')] = esc_html((string) $inode);
        }
        if ($fault->getMessage() !== '' && !in_array($fault->ht_code, ['HT-1105', 'HT-1106'], true)) {
            $rows[__('For support', 'halt-tracker')] = esc_html($fault->getMessage());
        }
        Page::facts($rows);
        if (!current_user_can('manage_options') || !in_array($fault->ht_code, ['HT-1105', 'HT-1106'], true)) {
            return;
        }
        echo '<div class="halt-card"><h2>' . esc_html__('What is it?', 'halt-tracker') . '</h2>';
        $fault->ht_code === 'HT-1105' ? self::whose() : self::where($dir);
        echo '</div>';
    }

    /** Another site's store: three answers, a button each. */
    private static function whose(): void
    {
        $own = Whose::own_elsewhere();
        if ($own !== '') {
            self::pushed($own);
        }
        echo '<h3>' . esc_html__('This site is a copy, such as a staging site', 'halt-tracker') . '</h3><p>' . esc_html__('It gets a new, empty store of its own; credentials are entered again. The other site keeps its store, and nothing in it is changed.', 'halt-tracker') . '</p>';
        Page::button('whose', __('This is a copy', 'halt-tracker'), ['do' => 'copy'], 'button', __('Start with a new, empty store? This cannot be undone by a button: submissions and credentials in the store named above are no longer used by this site.', 'halt-tracker'));
        if (!Whose::is_a_strangers()) {
            echo '<h3>' . esc_html__('It is the same site at a new address or on a new server', 'halt-tracker') . '</h3><p>' . esc_html__('The store goes with it. Each unfinished submission is looked up in Tracker before it is sent. Do this only if the other site is gone.', 'halt-tracker') . '</p>';
            Page::button('whose', __('This site has moved', 'halt-tracker'), ['do' => 'moved'], 'button', __('Bind the store named above to this address? The site at the other address can no longer use it. Do this only if that site is gone.', 'halt-tracker'));
        }
        if ($own === '') {
            self::pushed('');
        }
    }

    /** The options of a copy stand in this site's database; its own store lies where it was. */
    private static function pushed(string $own): void
    {
        echo '<h3>' . esc_html__('The database of a copy, such as a staging site, was put over this site’s', 'halt-tracker') . '</h3><p>' . esc_html__('Then this site has forgotten where its own store is. That store still has its submissions and credentials. Sending starts paused, so that you can look first.', 'halt-tracker');
        echo ($own !== '' ? ' <strong>' . esc_html__('A store of this site was found: its folder is filled in below.', 'halt-tracker') . '</strong>' : '') . '</p>';
        self::at($own);
    }

    /** The site's own store is not where it was: it lies elsewhere, or is gone. */
    private static function where(string $dir): void
    {
        echo '<h3>' . esc_html__('The folder is still there, in another place', 'halt-tracker') . '</h3>';
        $own = Whose::own_elsewhere();
        self::at($own !== '' ? $own : $dir);
        echo '<h3>' . esc_html__('The folder is gone for good', 'halt-tracker') . '</h3><p>' . esc_html__('Submissions that were only in it are lost to this site; what Tracker has stays there. Sending starts paused, so that nobody is sent twice unseen.', 'halt-tracker') . '</p>';
        Page::button('whose', __('Start a new, empty store', 'halt-tracker'), ['do' => 'new'], 'button halt-danger', __('Start a new, empty store? What was only in the old one is lost to this site.', 'halt-tracker'));
    }

    private static function at(string $dir): void
    {
        echo '<form method="post" class="halt-at" action="' . esc_url(admin_url('admin-post.php')) . '">';
        Page::guard('whose');
        echo '<input type="hidden" name="do" value="at"><p><label for="halt-path">' . esc_html__('It is at', 'halt-tracker') . '</label> ';
        printf('<input type="text" required class="large-text code" id="halt-path" name="path" value="%s" spellcheck="false" aria-describedby="halt-path-help"></p>', esc_attr($dir));
        echo '<p class="description" id="halt-path-help">' . esc_html__('The full path of the folder on this server. It is used only if this site’s own store lies in it.', 'halt-tracker') . '</p>';
        echo '<p><button type="submit" class="button button-primary">' . esc_html__('Use this folder', 'halt-tracker') . '</button></p></form>';
    }
}
