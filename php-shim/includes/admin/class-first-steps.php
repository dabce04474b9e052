<?php
/**
 * The guided start while nothing has arrived yet: connect, test, choose forms, look at the mapping, send one.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;

defined('ABSPATH') || exit;

/** Five steps with their buttons. */
final class FirstSteps
{
    /** @param array<string,mixed>|null $status */
    public static function render(?array $status): void
    {
        if (!current_user_can(Capabilities::MANAGE)) {
            return;
        }
        $set   = array_column(array_filter($status['secrets'] ?? [], static fn (array $one): bool => !empty($one['set'])), 'name');
        $ready = in_array('api_token', $set, true) || array_diff(['client_secret', 'refresh_token'], $set) === [];
        $tab   = static fn (string $tab): string => Menu::url(Menu::SETTINGS, ['tab' => $tab]);
        echo '<div class="halt-card"><h2>' . esc_html__('Get started', 'halt-tracker') . '</h2><ol class="halt-first">';
        self::step(
            $ready ? __('Credentials are entered', 'halt-tracker') : __('Connect Tracker', 'halt-tracker'),
            __('Choose the region of your Tracker database and paste its credentials.', 'halt-tracker'),
            $tab('connection'),
            $ready ? __('Change credentials', 'halt-tracker') : __('Enter credentials', 'halt-tracker'),
            $ready ? 'button' : 'button button-primary',
            $ready
        );
        if ($status === null) {
            self::step(__('Test the connection', 'halt-tracker'), __('The button is on the Connection tab, below the credentials.', 'halt-tracker'));
        } else {
            echo '<li><h3>' . esc_html__('Test the connection', 'halt-tracker') . '</h3><p>' . esc_html__('It says which of Tracker’s two APIs works for you.', 'halt-tracker') . '</p>';
            Page::button('test', __('Test connection', 'halt-tracker'), [], $ready ? 'button button-primary' : 'button');
            echo '</li>';
        }
        self::step(__('Choose your forms', 'halt-tracker'), __('Every form is sent unless you hold or ignore it.', 'halt-tracker'), $tab('forms'), __('See the forms', 'halt-tracker'));
        self::step(__('Check the mapping', 'halt-tracker'), __('It says which form field becomes which Tracker field.', 'halt-tracker'), $tab('mapping'), __('See the mapping', 'halt-tracker'));
        self::step(__('Send one yourself', 'halt-tracker'), __('Fill in a form of this site and come back: it appears in the Sync Log within a moment.', 'halt-tracker'));
        echo '</ol></div>';
    }

    private static function step(string $title, string $text, string $url = '', string $label = '', string $class = 'button', bool $done = false): void
    {
        printf('<li%s><h3>%s</h3><p>%s</p>', $done ? ' class="halt-first-done"' : '', esc_html($title), esc_html($text));
        if ($url !== '') {
            printf('<a class="%s" href="%s">%s</a>', esc_attr($class), esc_url($url), esc_html($label));
        }
        echo '</li>';
    }
}
