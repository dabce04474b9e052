<?php
/**
 * The Sync Log: the last three runs with what became of each submission, and below them every submission.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** Runs, list, and the way to the detail view. */
final class SyncLog
{
    private static ?SubmissionsTable $table = null;

    /** Before anything is printed: bulk and row actions, then the columns for Screen Options. */
    public static function load(): void
    {
        if (!current_user_can(Capabilities::VIEW)) {
            return;
        }
        if (Input::is_post()) {
            self::bulk();
        }
        if (Input::query('id') === '') {
            add_screen_option('per_page', ['default' => 20, 'option' => 'halt_tracker_per_page']);
            self::$table = new SubmissionsTable();
        }
    }

    /** The page. */
    public static function render(): void
    {
        if (!current_user_can(Capabilities::VIEW)) {
            wp_die(esc_html__('You are not allowed to see this page.', 'halt-tracker'), '', ['response' => 403]);
        }
        if (Input::query('id') !== '') {
            Detail::render(Input::query('id'));
            return;
        }
        [$status, $fault] = Engine::try_status();
        Page::open(__('Halt Tracker Sync Log', 'halt-tracker'));
        if ($status === null) {
            if ($fault === null || $fault->ht_code === 'HT-1115') {
                echo '<p>' . esc_html__('Nothing has arrived yet.', 'halt-tracker') . '</p>';
            } elseif (Engine::ready()) {
                Page::explain($fault->ht_code);
            }
            Page::close();
            return;
        }
        self::runs($status['runs'] ?? []);
        self::listing($status['forms'] ?? []);
        Page::close();
    }

    /** A row's button or a bulk action of the list. */
    private static function bulk(): void
    {
        check_admin_referer('bulk-halt_submissions');
        [$deed, $id] = array_pad(explode(':', Input::text('halt_row'), 2), 2, '');
        $ids = $id !== '' ? [$id] : Input::all('submission');
        if ($id === '') {
            $deed = Input::text('action') !== '-1' && Input::text('action') !== '' ? Input::text('action') : Input::text('action2');
        }
        if ($ids !== [] && in_array($deed, ['retry', 'discard', 'spam'], true)) {
            try {
                Actions::deed($deed, $ids);
            } catch (EngineException $fault) {
                Page::flash_fault($fault);
            }
        }
        $keep = array_filter(['state' => Input::query('state'), 'form' => Input::query('form'), 's' => Input::query('s'), 'paged' => Input::query('paged')]);
        wp_safe_redirect(Menu::url(Menu::SYNC_LOG, $keep));
        exit;
    }

    /** @param list<array<string,mixed>> $runs */
    private static function runs(array $runs): void
    {
        echo '<h2>' . esc_html__('The last three runs', 'halt-tracker') . '</h2>';
        if ($runs === []) {
            echo '<p>' . esc_html__('No run has touched a submission yet.', 'halt-tracker') . '</p>';
        }
        foreach (array_values(array_slice($runs, 0, 3)) as $at => $run) {
            $items = $run['items'] ?? [];
            /* translators: 1: date and time, 2: caller such as "cron", 3: number of submissions */
            $title = sprintf(_n('%1$s – %2$s – %3$s submission', '%1$s – %2$s – %3$s submissions', count($items), 'halt-tracker'), Page::time($run['started_at'] ?? null), (string) ($run['caller'] ?? ''), number_format_i18n(count($items)));
            echo '<details class="halt-details"' . ($at === 0 ? ' open' : '') . '><summary>' . esc_html($title) . ' ' . esc_html((string) ($run['outcome'] ?? '')) . '</summary>';
            echo '<div class="halt-scroll" tabindex="0"><table class="widefat striped"><thead><tr>';
            foreach ([__('Submission', 'halt-tracker'), __('Form', 'halt-tracker'), __('Status', 'halt-tracker'), __('In Tracker', 'halt-tracker'), __('What happened', 'halt-tracker')] as $head) {
                echo '<th scope="col">' . esc_html($head) . '</th>';
            }
            echo '</tr></thead><tbody>';
            foreach ($items as $item) {
                printf(
                    '<tr><td><a href="%s"><code>%s</code></a></td><td>%s</td><td>%s</td><td>%s</td><td>%s %s</td></tr>',
                    esc_url(Menu::url(Menu::SYNC_LOG, ['id' => (string) $item['id']])),
                    esc_html(substr((string) $item['id'], -8)),
                    esc_html((string) ($item['form'] ?? '')),
                    wp_kses_post(Page::state((string) $item['state'])),
                    esc_html(trim(($item['record_type'] ?? '') . ' ' . ($item['tracker_id'] ?? ''))),
                    wp_kses_post(Page::code($item['code'] ?? '')),
                    esc_html((string) ($item['message'] ?? ''))
                );
            }
            echo '</tbody></table></div></details>';
        }
    }

    /** @param list<array<string,mixed>> $forms */
    private static function listing(array $forms): void
    {
        $table = self::$table ?? new SubmissionsTable();
        $table->prepare_items();
        echo '<h2>' . esc_html__('All submissions', 'halt-tracker') . '</h2>';
        echo '<form method="get" class="halt-filters"><input type="hidden" name="page" value="' . esc_attr(Menu::SYNC_LOG) . '">';
        echo '<label>' . esc_html__('State', 'halt-tracker') . ' <select name="state"><option value="">' . esc_html__('All', 'halt-tracker') . '</option>';
        foreach (Messages::states() as $state => $label) {
            printf('<option value="%s"%s>%s</option>', esc_attr($state), selected(Input::query('state'), $state, false), esc_html($label));
        }
        echo '</select></label> <label>' . esc_html__('Form', 'halt-tracker') . ' <select name="form"><option value="">' . esc_html__('All', 'halt-tracker') . '</option>';
        foreach ($forms as $form) {
            $label = ($form['title'] ?? '') !== '' ? $form['title'] : ($form['id'] ?? $form['key']);
            printf('<option value="%s"%s>%s</option>', esc_attr((string) $form['key']), selected(Input::query('form'), (string) $form['key'], false), esc_html((string) $label));
        }
        echo '</select></label> ';
        foreach (['from' => __('From', 'halt-tracker'), 'to' => __('To', 'halt-tracker')] as $name => $label) {
            printf('<label>%s <input type="date" name="%s" value="%s"></label> ', esc_html($label), esc_attr($name), esc_attr(Input::query($name)));
        }
        printf('<label>%s <input type="search" name="s" value="%s"></label> ', esc_html__('Search', 'halt-tracker'), esc_attr(Input::query('s')));
        echo '<button type="submit" class="button">' . esc_html__('Show', 'halt-tracker') . '</button>';
        echo '<p class="description">' . esc_html__('Search takes an exact e-mail address, whole words of a name, a form or an id.', 'halt-tracker') . '</p></form>';
        if ($table->fault !== null) {
            Page::explain($table->fault->ht_code);
        }
        echo '<form method="post" class="halt-list">';
        $table->display();
        echo '</form>';
    }
}
