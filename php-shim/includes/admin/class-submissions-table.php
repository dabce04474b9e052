<?php
/**
 * The list of submissions as WordPress' own list table; names and addresses arrive masked from the engine.
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

if (!class_exists('WP_List_Table')) {
    require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
}

/** Columns and bulk actions. */
final class SubmissionsTable extends \WP_List_Table
{
    /** Why the list could not be read, if so. */
    public ?EngineException $fault = null;

    /** @var array<string,int> How many there are in each state. */
    public array $counts = [];

    public function __construct()
    {
        parent::__construct(['singular' => 'halt_submission', 'plural' => 'halt_submissions', 'ajax' => false, 'screen' => get_current_screen()]);
    }

    /** @return array<string,string> */
    public function get_columns()
    {
        return [
            'cb'       => '<input type="checkbox">',
            'person'   => __('Person', 'halt-tracker'),
            'state'    => __('Status', 'halt-tracker'),
            'form'     => __('Form', 'halt-tracker'),
            'tracker'  => __('In Tracker', 'halt-tracker'),
            'received' => __('Received', 'halt-tracker'),
            'updated'  => __('Last change', 'halt-tracker'),
        ];
    }

    /** Reads one page from the engine. */
    public function prepare_items()
    {
        $per_page = min(100, max(1, $this->get_items_per_page('halt_tracker_per_page', 20)));
        $query    = self::query() + ['page' => $this->get_pagenum(), 'per_page' => $per_page];
        try {
            $page        = Engine::call('list', [Engine::encode($query)]);
            $this->items = $page['items'];
            $this->set_pagination_args(['total_items' => (int) $page['total'], 'per_page' => $per_page]);
        } catch (EngineException $fault) {
            $this->fault = $fault;
            $this->items = [];
        }
    }

    /** What the filters ask for, as the engine's list takes it. @return array<string,mixed> */
    public static function query(): array
    {
        return [
            'search'    => Input::query('s'),
            'state'     => Input::query('state'),
            'form'      => Input::query('form'),
            'sort'      => ['received' => 'received_at', 'updated' => 'updated_at', 'state' => 'state', 'form' => 'form'][Input::query('orderby')] ?? 'received_at',
            'direction' => Input::query('order') === 'asc' ? 'asc' : 'desc',
        ] + array_filter(['from' => Page::day(Input::query('from')), 'to' => Page::day(Input::query('to'), '+1 day')]);
    }

    /** The text of an empty list. */
    public function no_items()
    {
        esc_html_e('No submission matches.', 'halt-tracker');
    }

    /** @return string */
    protected function get_default_primary_column_name()
    {
        return 'person';
    }

    /** One link for each state that has submissions. @return array<string,string> */
    protected function get_views()
    {
        $now   = Input::query('state');
        $views = ['all' => self::view('', __('All', 'halt-tracker'), array_sum($this->counts), $now === '')];
        foreach (Messages::states() as $state => $label) {
            if (($this->counts[$state] ?? 0) > 0 || $state === $now) {
                // Prefixed, because core colours a class called "attention".
                $views['halt-' . $state] = self::view($state, $label, (int) ($this->counts[$state] ?? 0), $state === $now);
            }
        }
        return $views;
    }

    private static function view(string $state, string $label, int $count, bool $current): string
    {
        return sprintf(
            '<a href="%s"%s>%s <span class="count">(%s)</span></a>',
            esc_url(Menu::url(Menu::SYNC_LOG, $state === '' ? [] : ['state' => $state])),
            $current ? ' class="current" aria-current="page"' : '',
            esc_html($label),
            esc_html(number_format_i18n($count))
        );
    }

    /** @return array<string,array{0:string,1:bool}> */
    protected function get_sortable_columns()
    {
        return ['received' => ['received', true], 'form' => ['form', false], 'state' => ['state', false], 'updated' => ['updated', true]];
    }

    /** @return array<string,string> */
    protected function get_bulk_actions()
    {
        $actions = ['retry' => __('Retry', 'halt-tracker')];
        if (current_user_can(Capabilities::MANAGE)) {
            $actions += [
                'release' => __('Release and send', 'halt-tracker'),
                'discard' => __('Discard', 'halt-tracker'),
                'spam'    => __('Discard as spam', 'halt-tracker'),
                'export'  => __('Export as CSV', 'halt-tracker'),
            ];
        }
        return $actions;
    }

    /** What concerns more than the rows of this page. @param string $which */
    protected function extra_tablenav($which)
    {
        $failed = (int) ($this->counts['failed'] ?? 0);
        echo '<div class="alignleft actions">';
        if ($which === 'top' && $failed > 0) {
            /* translators: %s: number of submissions */
            printf('<button type="submit" class="button" name="halt_row" value="retry_failed">%s</button>', esc_html(sprintf(_n('Retry the failed one', 'Retry all %s that failed', $failed, 'halt-tracker'), number_format_i18n($failed))));
        }
        if ($which === 'bottom' && $this->items !== [] && current_user_can(Capabilities::MANAGE)) {
            echo '<button type="submit" class="button" name="halt_row" value="export_all">' . esc_html__('Export this list as CSV', 'halt-tracker') . '</button>';
        }
        echo '</div>';
    }

    /** @param array<string,mixed> $item @return string */
    protected function column_cb($item)
    {
        $id = (string) $item['id'];
        return sprintf(
            '<label class="screen-reader-text" for="cb-%1$s">%2$s</label><input type="checkbox" id="cb-%1$s" name="submission[]" value="%1$s">',
            esc_attr($id),
            /* translators: %s: an id */
            esc_html(sprintf(__('Select submission %s', 'halt-tracker'), substr($id, -8)))
        );
    }

    /** @param array<string,mixed> $item @return string */
    protected function column_person($item)
    {
        $id      = (string) $item['id'];
        $url     = esc_url(Menu::url(Menu::SYNC_LOG, ['id' => $id]));
        $actions = ['view' => sprintf('<a href="%s">%s</a>', $url, esc_html__('Details', 'halt-tracker'))];
        // What fits is the engine's word; the details offer the rest.
        $deeds = ['retry' => __('Retry', 'halt-tracker'), 'release' => __('Release and send', 'halt-tracker'), 'discard' => __('Discard', 'halt-tracker')];
        foreach ($deeds as $deed => $label) {
            if (in_array($deed, (array) ($item['can'] ?? []), true) && ($deed === 'retry' || current_user_can(Capabilities::MANAGE))) {
                $actions[$deed] = self::row_button($deed, $id, $label);
            }
        }
        $person = (string) ($item['person'] ?? '');
        $email  = (string) ($item['email'] ?? '');
        $files  = (int) ($item['files'] ?? 0);
        /* translators: %s: number of files */
        $note   = $files > 0 ? sprintf(_n('%s file', '%s files', $files, 'halt-tracker'), number_format_i18n($files)) : '';
        $lines  = array_filter([$person !== '' ? $email : '', $note], static fn (string $line): bool => $line !== '');
        $name   = $person !== '' ? $person : ($email !== '' ? $email : __('No name', 'halt-tracker'));
        return sprintf('<a class="row-title" href="%s">%s</a>', $url, esc_html($name)) . ($lines !== [] ? '<br><span class="halt-quiet">' . esc_html(implode(' · ', $lines)) . '</span>' : '') . $this->row_actions($actions);
    }

    /** @param array<string,mixed> $item @return string */
    protected function column_received($item)
    {
        return Page::moment($item['received_at']);
    }

    /** @param array<string,mixed> $item @return string */
    protected function column_form($item)
    {
        return esc_html(Words::form((array) ($item['form'] ?? []))) . '<br><span class="halt-quiet">' . esc_html(Words::source((string) ($item['source'] ?? ''))) . '</span>';
    }

    /** @param array<string,mixed> $item @return string */
    protected function column_state($item)
    {
        $state = (string) $item['state'];
        $code  = (string) ($item['code'] ?? '');
        $lines = [];
        if ($code !== '' && !in_array($state, ['done', 'discarded', 'erased'], true)) {
            $lines[] = Messages::of($code)['title'];
        }
        if ($state === 'retry' && !empty($item['due_at'])) {
            /* translators: %s: a time span such as "in 3 minutes" */
            $lines[] = sprintf(__('Next try %s', 'halt-tracker'), (int) $item['due_at'] / 1000 > time() ? Page::ago($item['due_at']) : __('with the next run', 'halt-tracker'));
        }
        if ($state === 'discarded' && ($item['reason'] ?? '') !== '') {
            $lines[] = ucfirst(Words::reason((string) $item['reason']));
        }
        return Page::state($state) . ($lines !== [] ? '<br><span class="halt-why">' . implode('<br>', array_map('esc_html', $lines)) . '</span>' : '');
    }

    /** @param array<string,mixed> $item @return string */
    protected function column_tracker($item)
    {
        $link = Record::with_copy($item);
        return $link !== '' ? $link : '–';
    }

    /** @param array<string,mixed> $item @return string */
    protected function column_updated($item)
    {
        return esc_html(Page::ago($item['updated_at']));
    }

    private static function row_button(string $deed, string $id, string $label): string
    {
        return sprintf('<button type="submit" class="button-link" name="halt_row" value="%s">%s</button>', esc_attr($deed . ':' . $id), esc_html($label));
    }
}
