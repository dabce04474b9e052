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
use Halt\Tracker\WordPress\Export;
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

    /**
     * When it was received is what people look for; the other time can be switched on.
     *
     * @param mixed $hidden
     * @param mixed $screen
     * @return mixed
     */
    public static function default_hidden_columns($hidden, $screen = null)
    {
        return is_array($hidden) && $screen instanceof \WP_Screen && str_contains($screen->id, Menu::SYNC_LOG) ? [...$hidden, 'updated'] : $hidden;
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
                echo '<div class="halt-card"><h2>' . esc_html__('Nothing has arrived yet', 'halt-tracker') . '</h2><p>' . esc_html__('Every submission of a form or webhook appears here, with what became of it in Tracker.', 'halt-tracker') . '</p>';
                printf('<p><a class="button" href="%s">%s</a></p></div>', esc_url(Menu::url(Menu::DASHBOARD)), esc_html__('Go to the Dashboard', 'halt-tracker'));
            } elseif (Engine::ready()) {
                Page::explain($fault->ht_code);
            } else {
                printf('<p><a class="button button-primary" href="%s">%s</a></p>', esc_url(Menu::url(Menu::DASHBOARD)), esc_html__('See how to install the engine', 'halt-tracker'));
            }
            Page::close();
            return;
        }
        self::runs($status['runs'] ?? [], $status['forms'] ?? []);
        self::listing($status['forms'] ?? [], $status['counts'] ?? []);
        Page::close();
    }

    /** A row's button or a bulk action of the list. */
    private static function bulk(): void
    {
        check_admin_referer('bulk-halt_submissions');
        [$deed, $id] = array_pad(explode(':', Input::text('halt_row'), 2), 2, '');
        $ids = $id !== '' ? [$id] : Input::all('submission');
        if ($deed === '') {
            $deed = Input::text('action') !== '-1' && Input::text('action') !== '' ? Input::text('action') : Input::text('action2');
        }
        if ($deed === 'export_all' || ($deed === 'export' && $ids !== [])) {
            self::export($deed === 'export' ? $ids : null);
        } elseif ($deed === 'retry_failed') {
            Actions::retry_failed();
        } elseif ($ids !== [] && in_array($deed, ['retry', 'release', 'discard', 'spam'], true)) {
            try {
                Actions::deed($deed, $ids);
            } catch (EngineException $fault) {
                Page::flash_fault($fault);
            }
        }
        $keep = array_filter(['from' => Input::query('from'), 'to' => Input::query('to'), 'orderby' => Input::query('orderby'), 'order' => Input::query('order'), 'state' => Input::query('state'), 'form' => Input::query('form'), 's' => Input::query('s'), 'paged' => Input::query('paged')]);
        wp_safe_redirect(Menu::url(Menu::SYNC_LOG, $keep));
        exit;
    }

    /** Hands out what is chosen, or all that the filters find, as CSV. @param list<string>|null $ids */
    private static function export(?array $ids): void
    {
        if (!current_user_can(Capabilities::MANAGE)) {
            wp_die(esc_html__('You are not allowed to do this.', 'halt-tracker'), '', ['response' => 403]);
        }
        // Each submission is opened for it, and a large store has many.
        if (function_exists('set_time_limit')) {
            @set_time_limit(0);
        }
        $out = fopen('php://output', 'w');
        try {
            Export::csv($ids ?? Export::ids(array_diff_key(SubmissionsTable::query(), ['sort' => 0, 'direction' => 0])), $out, 'export', static function (): void {
                nocache_headers();
                header('Content-Type: text/csv; charset=utf-8');
                header('X-Content-Type-Options: nosniff');
                // nginx would lay a long answer by in a file of its own while the browser is slow.
                header('X-Accel-Buffering: no');
                header('Content-Disposition: attachment; filename="halt-tracker-' . wp_date('Y-m-d') . '.csv"');
            });
        } catch (EngineException $fault) {
            Page::flash_fault($fault);
            return;
        }
        exit;
    }

    /**
     * @param list<array<string,mixed>> $runs
     * @param list<array<string,mixed>> $forms
     */
    private static function runs(array $runs, array $forms): void
    {
        echo '<h2>' . esc_html__('The last three runs', 'halt-tracker') . '</h2>';
        if ($runs === []) {
            echo '<p>' . esc_html__('No run has touched a submission yet.', 'halt-tracker') . '</p>';
        }
        $names = [];
        foreach ($forms as $form) {
            foreach ([$form['key'] ?? '', $form['id'] ?? '', ...($form['aliases'] ?? [])] as $alias) {
                $names[(string) $alias] = Words::form($form);
            }
        }
        foreach (array_values(array_slice($runs, 0, 3)) as $at => $run) {
            self::run($run, $names, $at === 0);
        }
    }

    /**
     * @param array<string,mixed>  $run
     * @param array<string,string> $names Form by any of its ids.
     */
    private static function run(array $run, array $names, bool $first): void
    {
        $items = $run['items'] ?? [];
        $heads = [__('Status', 'halt-tracker'), __('Submission', 'halt-tracker'), __('In Tracker', 'halt-tracker'), __('What happened', 'halt-tracker')];
        echo '<details class="halt-details halt-run"' . ($first || count($items) < 6 ? ' open' : '') . '><summary><strong>' . esc_html(ucfirst(Page::ago($run['started_at'] ?? null))) . '</strong> <span>' . esc_html(Words::caller((string) ($run['caller'] ?? ''))) . '</span> ';
        foreach (array_count_values(array_column($items, 'state')) as $state => $count) {
            echo '<span class="halt-tally">' . esc_html(number_format_i18n($count)) . ' ' . wp_kses_post(Page::state((string) $state)) . '</span> ';
        }
        echo '<span class="halt-quiet">' . esc_html(Page::time($run['started_at'] ?? null)) . '</span></summary>';
        Page::table(...$heads);
        foreach ($items as $item) {
            $form = (string) ($item['form'] ?? '');
            $code = (string) ($item['code'] ?? '');
            echo '<tr>';
            Page::cell($heads[0], Page::state((string) $item['state']));
            Page::cell($heads[1], sprintf('<a href="%s">%s</a> <span class="halt-quiet">%s</span>', esc_url(Menu::url(Menu::SYNC_LOG, ['id' => (string) $item['id']])), esc_html($names[$form] ?? Words::form(['id' => $form])), esc_html((string) wp_date(get_option('time_format'), (int) (($item['at'] ?? 0) / 1000)))));
            Page::cell($heads[2], Record::link($item));
            Page::cell($heads[3], trim(Page::code($code) . ' ' . esc_html(Words::outcome('', (string) ($item['message'] ?? '')))));
            echo '</tr>';
        }
        echo '</tbody></table></details>';
    }

    /**
     * @param list<array<string,mixed>> $forms
     * @param array<string,int>         $counts
     */
    private static function listing(array $forms, array $counts): void
    {
        $table         = self::$table ?? new SubmissionsTable();
        $table->counts = $counts;
        $table->prepare_items();
        echo '<h2>' . esc_html__('All submissions', 'halt-tracker') . '</h2>';
        $table->views();
        echo '<form method="get" class="halt-filters"><input type="hidden" name="page" value="' . esc_attr(Menu::SYNC_LOG) . '"><input type="hidden" name="state" value="' . esc_attr(Input::query('state')) . '">';
        printf('<label>%s <input type="search" name="s" value="%s" aria-describedby="halt-search-help"></label>', esc_html__('Search', 'halt-tracker'), esc_attr(Input::query('s')));
        echo '<label>' . esc_html__('Form', 'halt-tracker') . ' <select name="form"><option value="">' . esc_html__('All forms', 'halt-tracker') . '</option>';
        foreach ($forms as $form) {
            printf('<option value="%s"%s>%s</option>', esc_attr((string) $form['key']), selected(Input::query('form'), (string) $form['key'], false), esc_html(Words::form($form)));
        }
        echo '</select></label> ';
        foreach (['from' => __('Received from', 'halt-tracker'), 'to' => __('Received until', 'halt-tracker')] as $name => $label) {
            printf('<label>%s <input type="date" name="%s" value="%s"></label> ', esc_html($label), esc_attr($name), esc_attr(Input::query($name)));
        }
        echo '<button type="submit" class="button">' . esc_html__('Show', 'halt-tracker') . '</button>';
        if (array_filter([Input::query('s'), Input::query('form'), Input::query('from'), Input::query('to'), Input::query('state')]) !== []) {
            printf(' <a class="button" href="%s">%s</a>', esc_url(Menu::url(Menu::SYNC_LOG)), esc_html__('Show all', 'halt-tracker'));
        }
        echo '<p class="halt-quiet" id="halt-search-help">' . esc_html__('Search finds an exact e-mail address, whole words of a name, the title or id of a form, or an id of Tracker. Names are shortened in this list; the details show them in full.', 'halt-tracker') . '</p></form>';
        if ($table->fault !== null) {
            Page::explain($table->fault->ht_code);
        }
        echo '<form method="post" class="halt-list">';
        $table->display();
        echo '</form>';
    }
}
