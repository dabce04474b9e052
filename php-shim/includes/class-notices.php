<?php
/**
 * Shows the few notices outside our own pages: the engine is not running, the earlier plugin is loaded, submissions wait.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

use Halt\Tracker\WordPress\Admin\Input;
use Halt\Tracker\WordPress\Health\Store;

defined('ABSPATH') || exit;

/** Notices to those who can act on them. */
final class Notices
{
    /** An option of the site: which user has dismissed which notice. */
    private const DISMISSED = 'halt_tracker_dismissed';

    /** Prints what applies. */
    public static function admin_notices(): void
    {
        if (!current_user_can(Capabilities::MANAGE)) {
            return;
        }
        $screen  = get_current_screen();
        $notices = self::applying();
        $gone    = self::dismissed($notices);
        if ($screen && str_contains($screen->id, 'halt-tracker')) {
            return;
        }
        foreach ($notices as $notice => [$title, $text]) {
            if (!in_array(get_current_user_id(), $gone[$notice] ?? [], true)) {
                self::dismissible($notice, $title, $text);
            }
        }
        if ($screen && $screen->id === 'plugins') {
            self::waiting();
        }
    }

    /** Remembers for this user that a notice was dismissed. */
    public static function dismiss(): void
    {
        Input::guard('dismiss', Capabilities::MANAGE);
        $notice  = isset($_POST['notice']) && is_string($_POST['notice']) ? sanitize_key(wp_unslash($_POST['notice'])) : '';
        $notices = self::applying();
        if (isset($notices[$notice])) {
            $gone          = self::dismissed($notices);
            $gone[$notice] = array_values(array_unique([...($gone[$notice] ?? []), get_current_user_id()]));
            update_option(self::DISMISSED, $gone, false);
        }
        wp_safe_redirect(wp_get_referer() ?: admin_url());
        exit;
    }

    /** What is to be said now: title and text of each notice. @return array<string,array{0:string,1:string}> */
    private static function applying(): array
    {
        $all  = [];
        $code = Engine::state_code();
        if ($code !== '' && $code !== 'HT-1003') {
            $all['engine-' . strtolower($code)] = [Messages::title($code), Messages::of($code)['safe'] . ' ' . Messages::of($code)['next']];
        }
        if (!Places::has_room()) {
            $all['no-room'] = Store::no_room();
        }
        if (Earlier::loaded_from() !== '') {
            $text = Relay::holds_inbox()
                /* translators: %s: path of a file */
                ? __('It is loaded from %s. It no longer takes forms or webhooks, so nothing is sent twice. Its job sync stops as soon as this plugin has taken over the credentials, which it does once the engine is running. Please remove it.', 'halt-tracker')
                /* translators: %s: path of a file */
                : __('It is loaded from %s. It no longer takes forms or webhooks, so nothing is sent twice. Its job sync has stopped working, because the credentials are kept by this plugin now. Please remove it.', 'halt-tracker');
            $all['earlier'] = [__('The earlier Halt Tracker plugin is still loaded', 'halt-tracker'), sprintf($text, Earlier::loaded_from())];
        }
        return $all;
    }

    /**
     * Who has dismissed which of these. What is cured is forgotten for everybody: when it comes back, it is news.
     *
     * @param array<string,array{0:string,1:string}> $notices
     * @return array<string,list<int>>
     */
    private static function dismissed(array $notices): array
    {
        $known = get_option(self::DISMISSED, []);
        $known = is_array($known) ? $known : [];
        $still = array_intersect_key($known, $notices);
        if ($still !== $known) {
            update_option(self::DISMISSED, $still, false);
        }
        return $still;
    }

    private static function dismissible(string $notice, string $title, string $text): void
    {
        ?>
        <div class="notice notice-error">
            <p><strong><?php echo esc_html($title); ?></strong> <?php echo esc_html($text); ?></p>
            <form method="post" action="<?php echo esc_url(admin_url('admin-post.php')); ?>">
                <?php wp_nonce_field('halt_tracker_dismiss'); ?>
                <input type="hidden" name="action" value="halt_tracker_dismiss">
                <input type="hidden" name="notice" value="<?php echo esc_attr($notice); ?>">
                <p>
                    <a class="button button-primary" href="<?php echo esc_url(admin_url('admin.php?page=halt-tracker')); ?>"><?php esc_html_e('Open the Dashboard', 'halt-tracker'); ?></a>
                    <button type="submit" class="button"><?php esc_html_e('Do not show again', 'halt-tracker'); ?></button>
                </p>
            </form>
        </div>
        <?php
    }

    /** On the Plugins page: who deactivates should know what waits. */
    private static function waiting(): void
    {
        $left = Capture::count();
        if (Engine::ready()) {
            $counts = Engine::try_status()[0]['counts'] ?? [];
            foreach (['queued', 'retry', 'checking', 'sending', 'held', 'attention'] as $state) {
                $left += (int) ($counts[$state] ?? 0);
            }
        }
        if ($left > 0) {
            /* translators: %s: number of submissions */
            $text = sprintf(_n('Halt Tracker: %s submission is not delivered yet. If you deactivate the plugin it is kept, but not sent until you activate it again.', 'Halt Tracker: %s submissions are not delivered yet. If you deactivate the plugin they are kept, but not sent until you activate it again.', $left, 'halt-tracker'), number_format_i18n($left));
            echo '<div class="notice notice-info"><p>' . esc_html($text) . '</p></div>';
        }
    }
}
