<?php
/**
 * The small parts that all pages share: heading, notices that survive a redirect, guarded buttons, times.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Health\Sapis;
use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** Rendering helpers; everything is escaped where it is printed. */
final class Page
{
    /** Opens a page. */
    public static function open(string $title, bool $explain = true): void
    {
        Sapis::note();
        echo '<div class="wrap halt-tracker"><h1>' . esc_html($title) . '</h1><hr class="wp-header-end">';
        $flash = get_transient(self::flash_name());
        if (is_array($flash)) {
            delete_transient(self::flash_name());
            foreach ($flash as [$type, $text]) {
                self::notice((string) $type, (string) $text);
            }
        }
        $code = Engine::state_code();
        if ($code !== '' && $explain) {
            self::explain($code, $code === 'HT-1003' ? 'warning' : 'error');
        }
    }

    /** Closes it. */
    public static function close(): void
    {
        echo '</div>';
    }

    /** A notice of WordPress' own kind: success, info, warning or error. */
    public static function notice(string $type, string $text): void
    {
        printf('<div class="notice notice-%s"><p>%s</p></div>', esc_attr($type), nl2br(esc_html($text)));
    }

    /** What happened, whether the data is safe, what to do next. */
    public static function explain(string $code, string $type = 'error', string $said = ''): void
    {
        printf('<div class="notice notice-%s inline halt-explain"><p class="halt-explain-title"><strong>%s</strong></p>', esc_attr($type), wp_kses_post(Help::headline($code)));
        self::three($code, $said);
        echo '</div>';
    }

    /** The three answers to a code, each with its question; `$said` is what Tracker or the engine said. */
    public static function three(string $code, string $said = ''): void
    {
        $row  = Messages::of($code);
        $rows = [
            __('What happened', 'halt-tracker')    => $row['what'],
            __('In detail', 'halt-tracker')        => $said,
            __('Is my data safe?', 'halt-tracker') => $row['safe'],
            __('What to do next', 'halt-tracker')  => $row['next'],
        ];
        echo '<dl class="halt-three">';
        foreach (array_filter($rows, static fn (string $text): bool => $text !== '') as $question => $answer) {
            printf('<div><dt>%s</dt><dd>%s</dd></div>', esc_html($question), esc_html($answer));
        }
        echo '</dl>';
    }

    /** Keeps a message for the next page of this user; no personal data, it lies in the database for a moment. */
    public static function flash(string $type, string $text): void
    {
        $flash   = get_transient(self::flash_name());
        $flash   = is_array($flash) ? $flash : [];
        $flash[] = [$type, $text];
        set_transient(self::flash_name(), $flash, 60);
    }

    /** The same for a failed call. */
    public static function flash_fault(EngineException $fault): void
    {
        self::flash('error', $fault->sentence());
    }

    /**
     * A button that changes something: a form of its own with a nonce, by POST.
     *
     * @param array<string,string> $values
     * @param string               $ask    What a script asks before it is done, where it cannot be undone.
     */
    public static function button(string $handler, string $label, array $values = [], string $class = 'button', string $ask = ''): void
    {
        echo '<form method="post" class="halt-inline" action="' . esc_url(admin_url('admin-post.php')) . '"' . ($ask !== '' ? ' data-halt-ask="' . esc_attr($ask) . '"' : '') . '>';
        self::guard($handler);
        foreach ($values as $name => $value) {
            printf('<input type="hidden" name="%s" value="%s">', esc_attr($name), esc_attr($value));
        }
        printf('<button type="submit" class="%s">%s</button></form>', esc_attr($class), esc_html($label));
    }

    /** The hidden fields of a form for one of our handlers. */
    public static function guard(string $handler): void
    {
        printf('<input type="hidden" name="action" value="%s">', esc_attr('halt_tracker_' . $handler));
        // Without an id: several such forms stand on one page.
        printf('<input type="hidden" name="_wpnonce" value="%s">', esc_attr(wp_create_nonce('halt_tracker_' . $handler)));
        wp_referer_field();
    }

    /** A time of the engine in the site's words and zone. @param mixed $ms */
    public static function time($ms): string
    {
        if (!is_numeric($ms) || $ms <= 0) {
            return '–';
        }
        return (string) wp_date(get_option('date_format') . ' ' . get_option('time_format'), (int) ($ms / 1000));
    }

    /** The begin of a day of the site's zone in the engine's milliseconds; null when the text is no day. */
    public static function day(string $date, string $shift = ''): ?int
    {
        $day = preg_match('/^\d{4}-\d{2}-\d{2}$/', $date) ? date_create_immutable($date, wp_timezone()) : false;
        if ($day !== false && $shift !== '') {
            $day = $day->modify($shift);
        }
        return $day ? $day->getTimestamp() * 1000 : null;
    }

    /** "3 minutes ago" or "in 3 minutes". @param mixed $ms */
    public static function ago($ms): string
    {
        if (!is_numeric($ms) || $ms <= 0) {
            return __('never', 'halt-tracker');
        }
        $at = (int) ($ms / 1000);
        return $at <= time()
            /* translators: %s: a time span such as "3 minutes" */
            ? sprintf(__('%s ago', 'halt-tracker'), human_time_diff($at))
            /* translators: %s: a time span such as "3 minutes" */
            : sprintf(__('in %s', 'halt-tracker'), human_time_diff($at));
    }

    /** Both: "3 minutes ago" and the date, as escaped HTML. @param mixed $ms */
    public static function moment($ms): string
    {
        if (!is_numeric($ms) || $ms <= 0) {
            return '–';
        }
        return sprintf(
            '%s <span class="halt-quiet">(%s)</span>',
            esc_html(self::ago($ms)),
            esc_html(self::time($ms))
        );
    }

    /**
     * Facts as a table of two columns that stacks on a narrow screen.
     *
     * @param array<string,string> $rows Label to escaped HTML.
     */
    public static function facts(array $rows): void
    {
        echo '<table class="widefat striped halt-facts"><tbody>';
        foreach ($rows as $label => $html) {
            printf('<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html((string) $label), wp_kses($html, self::allowed()));
        }
        echo '</tbody></table>';
    }

    /** Opens a table whose rows become cards on a narrow screen; its cells are made by {@see Page::cell()}. */
    public static function table(string ...$heads): void
    {
        echo '<table class="widefat striped halt-stack"><thead><tr>';
        foreach ($heads as $head) {
            echo '<th scope="col">' . esc_html($head) . '</th>';
        }
        echo '</tr></thead><tbody>';
    }

    /** A cell that knows its heading. @param string $html Escaped HTML. */
    public static function cell(string $head, string $html): void
    {
        printf('<td data-label="%s"><div>%s</div></td>', esc_attr($head), wp_kses($html !== '' ? $html : '–', self::allowed()));
    }

    /** A state as a word with a shape and a colour of its own. */
    public static function state(string $state): string
    {
        return sprintf('<span class="halt-state halt-state-%s">%s</span>', esc_attr(sanitize_html_class($state)), esc_html(Messages::state($state)));
    }

    /** A code as a short text with its headline. @param mixed $code */
    public static function code($code): string
    {
        return is_string($code) && $code !== '' ? '<span class="halt-code">' . Help::headline($code) . '</span>' : '';
    }

    /** What posts may contain, and the button that copies. @return array<string,array<string,bool>> */
    private static function allowed(): array
    {
        $allowed = wp_kses_allowed_html('post');
        $allowed['button'] = array_fill_keys(['type', 'class', 'hidden', 'aria-label', 'data-halt-copy', 'data-copied'], true);
        return $allowed;
    }

    private static function flash_name(): string
    {
        return 'halt_tracker_flash_' . get_current_user_id();
    }
}
