<?php
/**
 * The guided start: credentials, which API works, a form, its preview, a marked test; three clicks from nothing to a record in Tracker.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Four steps on one card; each shows its button only once it is its turn. */
final class Guide
{
    /** @param array<string,mixed>|null $status */
    public static function render(?array $status): void
    {
        if (!current_user_can(Capabilities::MANAGE)) {
            return;
        }
        $connected = self::has_credentials($status);
        $works     = array_keys(array_filter(Tested::last(), static fn (array $one): bool => !empty($one['works'])));
        $forms     = Preview::forms($status);
        $chosen    = Input::query('form');
        $chosen    = isset($forms[$chosen]) ? $chosen : '';
        echo '<div class="halt-card" id="halt-guide"><h2>' . (array_sum($status['counts'] ?? []) > 0 ? esc_html__('Try the whole way', 'halt-tracker') : esc_html__('Get started', 'halt-tracker')) . '</h2><ol class="halt-first">';
        self::connect($connected, $status);
        self::tested($connected);
        self::form($connected, in_array(Options::text('api'), $works, true), $forms, $chosen);
        self::sent($connected && $chosen !== '' ? $forms[$chosen] : null);
        echo '</ol></div>';
    }

    /** Whether one of the two ways to log in is complete. @param array<string,mixed>|null $status */
    private static function has_credentials(?array $status): bool
    {
        $set = array_column(array_filter($status['secrets'] ?? [], static fn (array $one): bool => !empty($one['set'])), 'name');
        return in_array('api_token', $set, true) || array_diff(['client_secret', 'refresh_token'], $set) === [];
    }

    /** @param array<string,mixed>|null $status */
    private static function connect(bool $connected, ?array $status): void
    {
        self::open($connected ? __('Credentials are entered', 'halt-tracker') : __('Connect Tracker', 'halt-tracker'), $connected);
        if (!current_user_can('manage_options')) {
            echo '<p>' . esc_html__('An administrator of this site has to do this step.', 'halt-tracker') . '</p></li>';
            return;
        }
        if ($connected) {
            printf('<p><a href="%s">%s</a></p></li>', esc_url(Menu::url(Menu::SETTINGS, ['tab' => 'connection'])), esc_html__('Change credentials', 'halt-tracker'));
            return;
        }
        echo '<p>' . esc_html__('Choose where your Tracker is, and paste either an API token or the three OAuth values. They are stored sealed and never shown again.', 'halt-tracker') . '</p>';
        echo '<form method="post" autocomplete="off" action="' . esc_url(admin_url('admin-post.php')) . '">';
        Page::guard('connect');
        $rows = Options::table();
        self::table([$rows['environment']], $status);
        echo '<fieldset class="halt-way"><legend>' . esc_html__('Either: an API token (REST v1)', 'halt-tracker') . '</legend>';
        self::table([$rows['api_token']], $status);
        echo '</fieldset><fieldset class="halt-way"><legend>' . esc_html__('Or: OAuth (both APIs)', 'halt-tracker') . '</legend>';
        self::table([$rows['client_id'], $rows['client_secret'], $rows['refresh_token']], $status);
        echo '</fieldset><p><button type="submit" class="button button-primary">' . esc_html__('Save and test', 'halt-tracker') . '</button></p></form></li>';
    }

    /** @param list<array<string,mixed>> $rows @param array<string,mixed>|null $status */
    private static function table(array $rows, ?array $status): void
    {
        echo '<table class="form-table" role="presentation"><tbody>';
        foreach ($rows as $row) {
            Fields::row($row, null, false, $status);
        }
        echo '</tbody></table>';
    }

    private static function tested(bool $connected): void
    {
        $apis  = $connected ? Tested::last() : [];
        $using = Options::text('api');
        $good  = !empty($apis[$using]['works']);
        self::open(__('Test the connection', 'halt-tracker'), $good);
        if (!$connected) {
            echo '<p>' . esc_html__('Tracker has two APIs. The test says which of them works for you.', 'halt-tracker') . '</p></li>';
            return;
        }
        if ($apis !== []) {
            echo '<ul class="halt-apis">';
            foreach ($apis as $api => $one) {
                $words = !empty($one['works'])
                    ? ($api === $using ? __('works, and is used', 'halt-tracker') : __('works', 'halt-tracker'))
                    : Messages::title((string) $one['code']);
                printf('<li><span class="halt-state halt-step-%s">%s</span> %s</li>', !empty($one['works']) ? 'done' : 'rejected', esc_html(Fields::choice_label((string) $api)), esc_html($words));
            }
            echo '</ul>';
        }
        Page::button('test', $apis === [] ? __('Test connection', 'halt-tracker') : __('Test again', 'halt-tracker'), ['back' => 'guide'], $apis === [] ? 'button button-primary' : 'button');
        foreach ($good ? [] : $apis as $api => $one) {
            if (!empty($one['works']) && !Options::is_locked('api')) {
                /* translators: %s: name of an API */
                Page::button('use_api', sprintf(__('Use %s', 'halt-tracker'), Fields::choice_label((string) $api)), ['api' => (string) $api], 'button button-primary');
            }
        }
        echo '</li>';
    }

    /** @param array<string,array<string,mixed>> $forms */
    private static function form(bool $connected, bool $ready, array $forms, string $chosen): void
    {
        self::open(__('Pick a form and look at what it sends', 'halt-tracker'), $connected && $chosen !== '');
        if (!$connected) {
            echo '<p>' . esc_html__('You see what it would send, before anything is sent.', 'halt-tracker') . '</p></li>';
            return;
        }
        if ($forms === []) {
            echo '<p>' . esc_html__('There is no form on this site yet. Make one with Divi, or send one to the webhook; it appears here by itself.', 'halt-tracker') . '</p></li>';
            return;
        }
        echo '<form method="get" action="' . esc_url(admin_url('admin.php')) . '#halt-guide"><input type="hidden" name="page" value="' . esc_attr(Menu::DASHBOARD) . '"><input type="hidden" name="guide" value="1">';
        echo '<label for="halt-guide-form">' . esc_html__('Form', 'halt-tracker') . '</label> ';
        Preview::choice($forms, $chosen, 'form', 'halt-guide-form');
        printf(' <button type="submit" class="%s">%s</button></form>', $ready && $chosen === '' ? 'button button-primary' : 'button', esc_html__('Preview', 'halt-tracker'));
        if ($chosen !== '') {
            Preview::show($forms[$chosen]);
            printf('<p><a href="%s">%s</a></p>', esc_url(Menu::url(Menu::SETTINGS, ['tab' => 'mapping'])), esc_html__('Change the mapping', 'halt-tracker'));
        }
        echo '</li>';
    }

    /** @param array<string,mixed>|null $form */
    private static function sent(?array $form): void
    {
        $sent = self::test(Input::query('sent'));
        self::open(__('Send a marked test', 'halt-tracker'), ($sent['state'] ?? '') === 'done');
        echo '<p>' . esc_html__('It goes the whole way to Tracker as “TEST Halt Tracker”, under an address that belongs to nobody. You can delete it there afterwards.', 'halt-tracker') . '</p>';
        if ($sent !== null) {
            printf('<p>%s %s <a href="%s">%s</a></p>', wp_kses_post(Page::state((string) $sent['state'])), wp_kses_post(Record::link($sent)), esc_url(Menu::url(Menu::SYNC_LOG, ['id' => (string) $sent['id']])), esc_html__('See every step', 'halt-tracker'));
        }
        if ($form !== null) {
            Page::button('send_test', $sent === null ? __('Send a marked test', 'halt-tracker') : __('Send another one', 'halt-tracker'), ['form' => (string) $form['key']], $sent === null ? 'button button-primary' : 'button');
        }
        echo '</li>';
    }

    /** What became of the test that was sent. @return array<string,mixed>|null */
    private static function test(string $id): ?array
    {
        try {
            $one = $id !== '' ? Engine::call('get', [$id]) : null;
        } catch (EngineException) {
            return null;
        }
        return ($one['source'] ?? '') === 'test' ? $one : null;
    }

    private static function open(string $title, bool $done): void
    {
        printf('<li%s><h3>%s%s</h3>', $done ? ' class="halt-first-done"' : '', esc_html($title), $done ? '<span class="screen-reader-text"> ' . esc_html__('(done)', 'halt-tracker') . '</span>' : '');
    }
}
