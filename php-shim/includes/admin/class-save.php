<?php
/**
 * Saves one tab of the settings: all of it or, when anything is refused, nothing of it. Where the store fails between two secrets,
 * it says which of them is saved.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** The handlers of the Settings page. The engine judges the values. */
final class Save
{
    /** One tab. */
    public static function tab(string $tab): void
    {
        $tab === 'connection'
            ? Input::guard('save_' . $tab, Capabilities::MANAGE, 'manage_options')
            : Input::guard('save_' . $tab, Capabilities::MANAGE);
        if (!Input::has('halt_end')) {
            // What did not arrive would be taken for what somebody has emptied.
            Page::flash('error', self::cut_off());
            wp_safe_redirect(Menu::url(Menu::SETTINGS, ['tab' => $tab]));
            exit;
        }
        [$values, $secrets] = self::posted($tab);
        $errors = [];
        if ($tab === 'forms') {
            [$values['forms'], $errors] = FormsTab::posted();
        }
        try {
            $errors = $errors !== [] ? $errors : self::problems($tab, $values);
            if ($errors === [] && $secrets !== []) {
                $errors = self::save_secrets($secrets);
            }
        } catch (EngineException $fault) {
            $errors = [['setting' => '', 'code' => $fault->ht_code, 'message' => Messages::of($fault->ht_code)['what']]];
        }
        if ($tab === 'connection') {
            Tested::forget();
        }
        if ($errors !== []) {
            Typed::keep($tab, $values, $errors);
        } else {
            foreach ($values as $name => $value) {
                Options::save($name, $value);
            }
            Typed::take($tab);
            Page::flash('success', __('Saved.', 'halt-tracker'));
        }
        wp_safe_redirect(Menu::url(Menu::SETTINGS, ['tab' => $tab] + (Input::has('field_map') ? ['edit' => 'text'] : [])));
        exit;
    }

    /** Why only a part of a form has arrived. */
    private static function cut_off(): string
    {
        $limit = (int) ini_get('max_input_vars');
        $sent  = Input::sent();
        if ($sent <= $limit) {
            return __('Nothing was saved: the end of the form did not arrive. Reload the page and save again.', 'halt-tracker');
        }
        /* translators: 1: number of fields, 2: number of fields */
        return sprintf(__('Nothing was saved: the page sent %1$s fields, and PHP on this server takes %2$s (max_input_vars) and drops the rest. What was saved before stays in force. Ask your host to raise max_input_vars above the number of fields, then save again; your browser’s Back button brings back what you typed.', 'halt-tracker'), $sent, $limit);
    }

    /**
     * Saves what the guided start asks for, in the same way.
     *
     * @param array<string,string> $values
     * @param array<string,string> $secrets
     * @return list<array<string,mixed>>
     */
    public static function credentials(array $values, array $secrets): array
    {
        $values = array_filter($values, static fn (string $name): bool => !Options::is_locked($name), ARRAY_FILTER_USE_KEY);
        try {
            $errors = self::problems('connection', $values);
            $errors = $errors === [] && $secrets !== [] ? self::save_secrets($secrets) : $errors;
        } catch (EngineException $fault) {
            $errors = [['setting' => '', 'code' => $fault->ht_code, 'message' => Messages::of($fault->ht_code)['what']]];
        }
        foreach ($errors === [] ? $values : [] as $name => $value) {
            Options::save($name, $value);
        }
        Tested::forget();
        return $errors;
    }

    /** Which secrets are saved although something failed after them; empty when nothing is. @param list<array<string,mixed>> $errors */
    public static function saved_before(array $errors): string
    {
        $names  = array_merge(...array_column($errors, 'saved'));
        $labels = array_map(static fn (string $name): string => (string) (Options::table()[$name]['label'] ?? $name), $names);
        /* translators: %s: names of settings, separated by commas */
        return $labels === [] ? '' : sprintf(__('Only this was saved and is in force: %s.', 'halt-tracker'), implode(', ', $labels));
    }

    /** What a connection test found on an API, in words. @param array<string,mixed> $api */
    public static function api_words(array $api): string
    {
        $name = Fields::choice_label((string) ($api['api'] ?? ''));
        if (!empty($api['works'])) {
            /* translators: %s: name of an API */
            return sprintf(__('%s works.', 'halt-tracker'), $name);
        }
        $code = (string) ($api['code'] ?? 'HT-1501');
        $said = Words::outcome('', trim((string) ($api['message'] ?? '')));
        /* translators: 1: name of an API, 2: the reason, 3: Tracker's words, 4: advice */
        return sprintf(__('%1$s does not work: %2$s %3$s %4$s', 'halt-tracker'), $name, Messages::title($code) . '.', $said, Messages::of($code)['next']);
    }

    /** An error of a check in words, with its place in the text. @param array<string,mixed> $error */
    public static function sentence(array $error): string
    {
        $label = (string) (Options::table()[$error['setting'] ?? '']['label'] ?? ($error['setting'] ?? ''));
        // The engine's own words often name the place already.
        $named = str_contains((string) ($error['message'] ?? ''), 'line ' . (int) ($error['line'] ?? 0) . ', column');
        $place = isset($error['line'], $error['column']) && !$named
            /* translators: 1: line, 2: column */
            ? ' ' . sprintf(__('(line %1$d, column %2$d)', 'halt-tracker'), (int) $error['line'], (int) $error['column']) : '';
        $code  = (string) ($error['code'] ?? '');
        $said  = rtrim(str_replace('`', '"', (string) ($error['message'] ?? '')), '.') . $place . '.';
        return ($label !== '' ? $label . ': ' : '') . $said . ($code !== '' ? ' ' . Messages::of($code)['next'] . ' (' . $code . ')' : '');
    }

    /** @return array{0:array<string,string>,1:array<string,string>} Values and secrets that were posted. */
    private static function posted(string $tab): array
    {
        $values  = [];
        $secrets = [];
        foreach (Options::tab($tab) as $name => $row) {
            if (Options::is_locked($name) || $name === 'forms') {
                continue;
            }
            if ($row['kind'] === 'secret') {
                $secret = Input::text($name);
                // An empty field keeps what is saved.
                if ($secret !== '') {
                    $secrets[$name] = $secret;
                }
                continue;
            }
            if ($name === 'field_map' && !Input::has($name)) {
                $values[$name] = MappingTable::json(Input::groups('map'));
                continue;
            }
            $values[$name] = match ($row['kind']) {
                'switch'        => Input::text($name) === '1' ? '1' : '',
                'lines', 'json' => rtrim(Input::lines($name)),
                default         => Input::text($name),
            };
        }
        return [$values, $secrets];
    }

    /**
     * What stands against saving these values.
     *
     * @param array<string,string> $values
     * @return list<array<string,mixed>>
     */
    private static function problems(string $tab, array $values): array
    {
        if (!Engine::ready()) {
            return self::plain_problems($values);
        }
        $before  = Options::values();
        $checked = Engine::check(array_merge($before, $values));
        if ($checked['errors'] === []) {
            foreach ($checked['warnings'] as $warning) {
                if (isset($values[$warning['setting'] ?? ''])) {
                    Page::flash('warning', self::sentence($warning));
                }
            }
            return [];
        }
        // An old mistake on another tab must not keep this one from being saved.
        $old = array_map([self::class, 'sentence'], Engine::check($before)['errors']);
        return array_values(array_filter(
            $checked['errors'],
            static fn (array $error): bool => isset(Options::tab($tab)[$error['setting'] ?? '']) || !in_array(self::sentence($error), $old, true)
        ));
    }

    /**
     * While the engine is away: what the table of settings says by itself.
     *
     * @param array<string,string> $values
     * @return list<array<string,mixed>>
     */
    private static function plain_problems(array $values): array
    {
        $errors = [];
        foreach ($values as $name => $value) {
            $row = Options::table()[$name];
            if ($row['kind'] === 'json' && $value !== '' && !is_object(json_decode($value))) {
                $errors[] = ['setting' => $name, 'code' => 'HT-1401', 'message' => json_last_error_msg()];
            }
            $range = ['options' => ['min_range' => $row['min'], 'max_range' => $row['max']]];
            $wrong = ($row['kind'] === 'choice' && !in_array($value, $row['choices'], true))
                || ($row['kind'] === 'number' && $value !== '' && filter_var($value, FILTER_VALIDATE_INT, $range) === false);
            if ($wrong) {
                $errors[] = ['setting' => $name, 'code' => 'HT-1406', 'message' => Messages::of('HT-1406')['title']];
            }
        }
        return $errors;
    }

    /**
     * Hands secrets to the engine; they never pass through an option.
     *
     * @param array<string,string> $secrets
     * @return list<array<string,mixed>>
     */
    private static function save_secrets(array $secrets): array
    {
        if (!Engine::ready()) {
            return [['setting' => (string) array_key_first($secrets), 'code' => Engine::state_code(), 'message' => __('Secrets can be saved as soon as the engine is running.', 'halt-tracker')]];
        }
        $saved = [];
        foreach ($secrets as $name => $value) {
            try {
                Engine::call('saveSecret', [$name, $value]);
            } catch (EngineException $fault) {
                return [['setting' => $name, 'code' => $fault->ht_code, 'message' => Messages::of($fault->ht_code)['what'], 'saved' => $saved]];
            }
            $saved[] = $name;
            Audit::credentials_changed($name);
        }
        return [];
    }
}
