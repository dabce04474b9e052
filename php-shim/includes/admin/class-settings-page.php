<?php
/**
 * The Settings page: one tab, one form, one handler each, so that saving a tab cannot blank what it does not show.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Renders the tabs. */
final class SettingsPage
{
    public const TABS = ['connection', 'mapping', 'forms', 'webhook', 'activities', 'delivery', 'privacy'];

    /** The page. */
    public static function render(): void
    {
        if (!current_user_can(Capabilities::MANAGE)) {
            wp_die(esc_html__('You are not allowed to see this page.', 'halt-tracker'), '', ['response' => 403]);
        }
        $tab = in_array(Input::query('tab'), self::TABS, true) ? Input::query('tab') : 'connection';
        [$status] = Engine::try_status();
        Page::open(__('Halt Tracker Settings', 'halt-tracker'));
        self::navigation($tab);
        [$typed, $errors] = Typed::take($tab);
        self::errors($tab === 'mapping' && self::as_table($typed) ? array_map([MappingTable::class, 'by_row'], $errors) : $errors, $typed);
        self::before($tab, $status);
        self::form($tab, $typed, $errors, $status);
        self::after($tab, $status);
        Page::close();
    }

    /** @return array<string,string> */
    private static function labels(): array
    {
        return [
            'connection' => __('Connection', 'halt-tracker'),
            'mapping'    => __('Mapping', 'halt-tracker'),
            'forms'      => __('Forms', 'halt-tracker'),
            'webhook'    => __('Webhook', 'halt-tracker'),
            'activities' => __('Activities & files', 'halt-tracker'),
            'delivery'   => __('Delivery', 'halt-tracker'),
            'privacy'    => __('Privacy', 'halt-tracker'),
        ];
    }

    private static function navigation(string $current): void
    {
        echo '<nav class="nav-tab-wrapper" aria-label="' . esc_attr__('Settings', 'halt-tracker') . '">';
        foreach (self::labels() as $tab => $label) {
            printf(
                '<a href="%s" class="nav-tab%s"%s>%s</a>',
                esc_url(Menu::url(Menu::SETTINGS, ['tab' => $tab])),
                $tab === $current ? ' nav-tab-active' : '',
                $tab === $current ? ' aria-current="page"' : '',
                esc_html($label)
            );
        }
        echo '</nav><h2>' . esc_html(self::labels()[$current]) . '</h2><p class="halt-intro">' . esc_html(self::purpose($current)) . '</p>';
    }

    /**
     * @param list<array<string,mixed>> $errors
     * @param array<string,string>      $typed
     */
    private static function errors(array $errors, array $typed): void
    {
        if ($errors === []) {
            return;
        }
        $saved = Save::saved_before($errors);
        $head  = $saved !== ''
            ? $saved . ' ' . __('What else you typed is below; secrets have to be typed again.', 'halt-tracker')
            : __('Nothing was saved. What was saved before stays in force; what you typed is below.', 'halt-tracker');
        echo '<div class="notice notice-error" role="alert"><p><strong>' . esc_html($head) . '</strong></p><ul class="ul-disc">';
        foreach ($errors as $error) {
            $name = (string) ($error['setting'] ?? '');
            echo '<li>' . esc_html(Save::sentence($error));
            if (isset(Options::table()[$name]) && $name !== 'forms') {
                printf(' <a href="#halt-%s">%s</a>', esc_attr($name), esc_html__('Go to the field', 'halt-tracker'));
            }
            // The line itself with an arrow under the place: quicker to find than a number.
            $line = explode("\n", $typed[$name] ?? '')[(int) ($error['line'] ?? 0) - 1] ?? '';
            if ($name !== 'forms' && trim($line) !== '' && strlen($line) < 200) {
                $column = min(strlen($line) + 1, max(1, (int) ($error['column'] ?? 1)));
                echo '<pre class="halt-place" aria-hidden="true">' . esc_html($line . "\n" . str_repeat(' ', $column - 1) . '^') . '</pre>';
            }
            echo '</li>';
        }
        echo '</ul></div>';
    }

    /**
     * @param array<string,mixed>|null $status
     */
    private static function before(string $tab, ?array $status): void
    {
        if ($tab === 'webhook') {
            WebhookTab::before($status);
        }
    }

    /** One sentence that says what a tab is for. */
    private static function purpose(string $tab): string
    {
        return [
            'connection' => __('Where your Tracker is and how this site logs in to it. Secrets are stored sealed and never shown again.', 'halt-tracker'),
            'mapping'    => __('Which form field becomes which field in Tracker.', 'halt-tracker'),
            'forms'      => __('What happens with each form. Forms appear here by themselves: those found in your pages, and those that have arrived.', 'halt-tracker'),
            'webhook'    => __('For other programs that send submissions to this site. Divi forms do not need it.', 'halt-tracker'),
            'activities' => __('What is added to a person in Tracker besides the record: an activity, and the files that were sent.', 'halt-tracker'),
            'delivery'   => __('How persistently and how fast submissions are sent, and who hears of trouble. The defaults suit most sites.', 'halt-tracker'),
            'privacy'    => __('How long submissions are kept on this site after they are delivered or discarded. Those that failed or wait for a decision are kept for 90 days; those that are held for review or wait to be sent stay without limit.', 'halt-tracker'),
        ][$tab];
    }

    /**
     * @param array<string,string>      $typed
     * @param list<array<string,mixed>> $errors
     * @param array<string,mixed>|null  $status
     */
    private static function form(string $tab, array $typed, array $errors, ?array $status): void
    {
        if ($tab === 'connection' && !current_user_can('manage_options')) {
            echo '<p>' . esc_html__('Only administrators of this site may change the connection.', 'halt-tracker') . '</p>';
            return;
        }
        echo '<form method="post" autocomplete="off" action="' . esc_url(admin_url('admin-post.php')) . '">';
        Page::guard('save_' . $tab);
        $rows = Options::tab($tab);
        if ($tab === 'forms') {
            FormsTab::render($typed['forms'] ?? null, $status);
            $used = array_filter(array_keys($rows), static fn (string $name): bool => $name !== 'forms' && trim($typed[$name] ?? Options::text($name)) !== '');
            echo '<details class="halt-details"' . ($used !== [] ? ' open' : '') . '><summary>' . esc_html__('Record type by form id (the earlier way)', 'halt-tracker') . '</summary>';
        }
        echo '<table class="form-table" role="presentation"><tbody>';
        $wrong = array_column($errors, 'setting');
        foreach ($rows as $name => $row) {
            if ($name === 'field_map' && self::as_table($typed)) {
                MappingTable::render($typed[$name] ?? null, $errors, FormFields::seen($status));
            } elseif ($name !== 'forms') {
                Fields::row($row, $typed[$name] ?? null, in_array($name, $wrong, true), $status);
            }
        }
        echo '</tbody></table>' . ($tab === 'forms' ? '</details>' : '');
        submit_button(__('Save changes', 'halt-tracker'));
        // The last field of all: where it does not arrive, PHP has cut the form off.
        echo '<input type="hidden" name="halt_end" value="1"></form>';
    }

    /** Whether the mapping is shown as a table: a text that is no table, and one that was typed, stay text. @param array<string,string> $typed */
    private static function as_table(array $typed): bool
    {
        $text = $typed['field_map'] ?? Options::text('field_map');
        return Input::query('edit') !== 'text' && !Options::is_locked('field_map') && MappingTable::fits($text);
    }

    /** @param array<string,mixed>|null $status */
    private static function after(string $tab, ?array $status): void
    {
        if ($tab === 'connection' && Engine::ready()) {
            echo '<h2>' . esc_html__('Does it work?', 'halt-tracker') . '</h2><p>' . esc_html__('Save first. The test asks Tracker with the saved credentials; nothing is sent.', 'halt-tracker') . '</p>';
            Page::button('test', __('Test connection', 'halt-tracker'));
        }
        if ($tab === 'mapping' && $status !== null) {
            self::preview($status);
        }
        if ($tab === 'webhook') {
            WebhookTab::after($status);
        }
        if ($tab === 'delivery') {
            echo '<h2>' . esc_html__('Sync lock', 'halt-tracker') . '</h2><p>' . esc_html__('Only one run sends at a time. The lock frees itself when a run ends or dies; clearing it says who holds it and never stops a living run.', 'halt-tracker') . '</p><div class="halt-buttons">';
            Page::button('unlock', __('Clear Sync Lock', 'halt-tracker'));
            echo '</div><h2>' . esc_html__('Pause', 'halt-tracker') . '</h2><p>' . esc_html__('While sending is paused, submissions are received and kept, and no attempt is spent.', 'halt-tracker') . '</p><div class="halt-buttons">';
            Page::button('lane', __('Pause sending', 'halt-tracker'), ['do' => 'pause']);
            Page::button('lane', __('Resume sending', 'halt-tracker'), ['do' => 'resume']);
            echo '</div>';
        }
    }

    /**
     * What the last submission of a form would send.
     *
     * @param array<string,mixed> $status
     */
    private static function preview(array $status): void
    {
        echo '<h2 id="halt-preview">' . esc_html__('Preview', 'halt-tracker') . '</h2><p>' . esc_html__('Shows what the last submission of a form would send with the saved mapping. Nothing is sent.', 'halt-tracker') . '</p>';
        $forms = Preview::forms($status);
        if ($forms === []) {
            echo '<p>' . esc_html__('No form has arrived yet.', 'halt-tracker') . '</p>';
            return;
        }
        $asked = Input::is_post() && wp_verify_nonce(Input::text('halt_preview_nonce'), 'halt_tracker_preview') ? Input::text('preview_form') : '';
        echo '<form method="post" action="' . esc_url(Menu::url(Menu::SETTINGS, ['tab' => 'mapping']) . '#halt-preview') . '">';
        wp_nonce_field('halt_tracker_preview', 'halt_preview_nonce', false);
        echo '<label for="halt-preview-form">' . esc_html__('Form', 'halt-tracker') . '</label> ';
        Preview::choice($forms, $asked, 'preview_form', 'halt-preview-form');
        echo ' <button type="submit" class="button">' . esc_html__('Preview', 'halt-tracker') . '</button></form>';
        if (isset($forms[$asked])) {
            Preview::show($forms[$asked]);
        }
    }
}
