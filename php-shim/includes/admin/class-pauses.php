<?php
/**
 * Says why nothing is sent, one card for each reason with the button that helps; and after a button what still stands in the way.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** Cards of the Dashboard. */
final class Pauses
{
    /** @param array<string,mixed> $status */
    public static function render(array $status): void
    {
        foreach ($status['lane']['reasons'] ?? [] as $reason) {
            $code = (string) ($reason['code'] ?? 'HT-1611');
            $name = (string) $reason['reason'];
            echo '<div class="halt-card halt-card-alert"><h2>' . wp_kses_post(Help::headline($code)) . '</h2>';
            // What stands beside a lost key is its id, which helps nobody.
            Page::three($code, $name === 'key' ? '' : Words::outcome('', (string) ($reason['detail'] ?? '')));
            /* translators: %s: a time span such as "3 minutes ago" */
            echo '<p class="halt-quiet">' . esc_html(sprintf(__('It began %s.', 'halt-tracker'), Page::ago($reason['since'] ?? null))) . '</p>';
            if (current_user_can(Capabilities::MANAGE)) {
                self::cure($name);
            }
            echo '</div>';
        }
    }

    /** What still keeps submissions from being sent, in a sentence; nothing when the next run goes on. */
    public static function still(): string
    {
        $reasons = Engine::try_status()[0]['lane']['reasons'] ?? [];
        $titles  = array_map(static fn (array $one): string => Messages::title((string) ($one['code'] ?? 'HT-1611')), $reasons);
        if (defined('HALT_TRACKER_PAUSED') && constant('HALT_TRACKER_PAUSED')) {
            /* translators: %s: name of a constant */
            $titles[] = sprintf(__('%s is set in wp-config.php', 'halt-tracker'), 'HALT_TRACKER_PAUSED');
        }
        /* translators: %s: the reasons, separated by semicolons */
        return $titles === [] ? '' : sprintf(__('Sending is still paused: %s.', 'halt-tracker'), implode('; ', $titles));
    }

    /** The one button that helps. */
    private static function cure(string $reason): void
    {
        match ($reason) {
            'credentials' => self::link(__('Enter credentials', 'halt-tracker'), self::connection()),
            'endpoint'    => Page::button('test', __('Test connection', 'halt-tracker'), [], 'button button-primary'),
            'restored'    => Page::button('lane', __('Confirm: look everything up, then go on', 'halt-tracker'), ['do' => 'confirm_restore'], 'button button-primary'),
            'key'         => self::key(),
            default       => Page::button('lane', __('Resume sending', 'halt-tracker'), ['do' => 'resume', 'reason' => $reason], 'button button-primary'),
        };
    }

    /** A key comes back with its file, or it never does. */
    private static function key(): void
    {
        echo '<h3>' . esc_html__('The key file can be brought back', 'halt-tracker') . '</h3><p>' . esc_html__('Put it where it was: sending goes on by itself, and nothing is lost.', 'halt-tracker') . '</p>';
        self::link(__('See where the key file belongs', 'halt-tracker'), admin_url('site-health.php?tab=debug'));
        echo '<h3>' . esc_html__('The key is lost for good', 'halt-tracker') . '</h3><p>' . esc_html__('What was sealed with it stays closed: older submissions that are not delivered yet, and the credentials. Enter the credentials again first, and make a new webhook secret if you use the webhook, then retire the old one. The closed submissions stay in the Sync Log, where you can discard them; what is new is sent.', 'halt-tracker') . '</p>';
        printf('<p><a class="button" href="%s">%s</a></p>', esc_url(self::connection()), esc_html__('Enter credentials', 'halt-tracker'));
        Page::button(
            'lane',
            __('Go on without what it sealed', 'halt-tracker'),
            ['do' => 'resume', 'reason' => 'key'],
            'button halt-danger',
            __('Go on without the lost key? Submissions that were sealed with it are not sent unless the key file comes back.', 'halt-tracker')
        );
    }

    private static function connection(): string
    {
        return Menu::url(Menu::SETTINGS, ['tab' => 'connection']);
    }

    private static function link(string $label, string $url): void
    {
        printf('<p><a class="button button-primary" href="%s">%s</a></p>', esc_url($url), esc_html($label));
    }
}
