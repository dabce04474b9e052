<?php
/**
 * Connects WordPress' privacy tools with the store, so that a person's data can be exported and erased by e-mail address.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Exporter, eraser and the suggested text for the privacy policy. */
final class Privacy
{
    private const PER_PAGE = 25;

    /** Seconds for rows of the earlier plugin's table that come over before an erasure. */
    private const SECONDS = 5.0;

    /** @param mixed $all @return mixed */
    public static function exporters($all)
    {
        $all = is_array($all) ? $all : [];
        $all['halt-tracker'] = ['exporter_friendly_name' => __('Halt Tracker submissions', 'halt-tracker'), 'callback' => [self::class, 'export']];
        return $all;
    }

    /** @param mixed $all @return mixed */
    public static function erasers($all)
    {
        $all = is_array($all) ? $all : [];
        $all['halt-tracker'] = ['eraser_friendly_name' => __('Halt Tracker submissions', 'halt-tracker'), 'callback' => [self::class, 'erase']];
        return $all;
    }

    /** Suggests a paragraph for the site's policy. */
    public static function admin_init(): void
    {
        if (function_exists('wp_add_privacy_policy_content')) {
            $text = __('When you send a form on this site, we pass what you entered, with the files you attached and the address of the page, to our recruitment system Tracker RMS. Until it has arrived there, and for some days afterwards, it is kept encrypted on this site. We store no IP address and no browser identification with it.', 'halt-tracker');
            wp_add_privacy_policy_content('RoleCall - powered by Halt', '<p>' . esc_html($text) . '</p>');
        }
    }

    /**
     * One page of a person's submissions.
     *
     * @param mixed $email
     * @param mixed $page
     * @return array{data:list<array<string,mixed>>,done:bool}
     */
    public static function export($email, $page = 1): array
    {
        $data = [];
        try {
            [$ids, $mentioned] = self::found((string) $email);
            $ids = array_values(array_diff($ids, $mentioned));
        } catch (EngineException $fault) {
            $note = [['name' => __('Not available now', 'halt-tracker'), 'value' => esc_html($fault->sentence())]];
            return ['data' => [['group_id' => 'halt-tracker', 'group_label' => __('Form submissions', 'halt-tracker'), 'item_id' => 'halt-tracker-0', 'data' => $note]], 'done' => true];
        }
        // An export that leaves something out in silence says that it is all there is.
        $without = array_filter([$mentioned !== [] ? self::of_others(count($mentioned)) : '', self::sealed_outside(), self::of_the_earlier((string) $email)]);
        if ($without !== [] && (int) $page <= 1) {
            $note   = array_map(static fn (string $text): array => ['name' => __('Not included', 'halt-tracker'), 'value' => esc_html($text)], array_values($without));
            $data[] = ['group_id' => 'halt-tracker', 'group_label' => __('Form submissions', 'halt-tracker'), 'item_id' => 'halt-tracker-0', 'data' => $note];
        }
        foreach (array_slice($ids, (max(1, (int) $page) - 1) * self::PER_PAGE, self::PER_PAGE) as $id) {
            try {
                $one = Engine::call('get', [$id]);
            } catch (EngineException $fault) {
                $note   = [['name' => __('Not available now', 'halt-tracker'), 'value' => esc_html($fault->sentence())]];
                $data[] = ['group_id' => 'halt-tracker', 'group_label' => __('Form submissions', 'halt-tracker'), 'item_id' => 'halt-tracker-' . $id, 'data' => $note];
                continue;
            }
            Audit::viewed('privacy-export', $id);
            $data[] = ['group_id' => 'halt-tracker', 'group_label' => __('Form submissions', 'halt-tracker'), 'item_id' => 'halt-tracker-' . $id, 'data' => self::rows($one)];
        }
        return ['data' => $data, 'done' => count($ids) <= max(1, (int) $page) * self::PER_PAGE];
    }

    /**
     * Erases a person's submissions; what cannot be erased yet is named with its reason.
     *
     * @param mixed $email
     * @param mixed $page
     * @return array{items_removed:bool,items_retained:bool,messages:list<string>,done:bool}
     */
    public static function erase($email, $page = 1): array
    {
        $result = ['items_removed' => false, 'items_retained' => false, 'messages' => [], 'done' => true];
        try {
            // Before the search: what can be read there is found in the store then.
            $result['items_removed'] = EarlierTable::erase((string) $email, self::SECONDS) > 0;
            [$ids, $mentioned] = self::found((string) $email);
            // Somebody else's application is not given up because it names this address, as a referee's for instance.
            $ids = array_diff($ids, $mentioned);
            if ($mentioned !== []) {
                $result['items_retained'] = true;
                $result['messages'][]     = self::of_others(count($mentioned));
            }
            if ($ids !== [] || Capture::count() > 0 || EarlierTable::naming((string) $email) > 0) {
                // With the address: what lies outside the store still is erased when the engine takes it over.
                $answer = Engine::act(['action' => 'erase', 'ids' => array_values($ids), 'email' => (string) $email]);
                $result['items_removed'] = $result['items_removed'] || ($answer['changed'] ?? []) !== [];
                foreach ($answer['refused'] ?? [] as $refused) {
                    $result['items_retained'] = true;
                    $result['messages'][]     = Messages::title((string) $refused['code']);
                }
                foreach ($answer['changed'] ?? [] as $id) {
                    if ((Engine::call('get', [$id])['state'] ?? '') !== 'erased') {
                        $result['items_retained'] = true;
                        $result['messages'][]     = __('A submission is being settled with Tracker at this moment; it is marked and erased as soon as that has ended.', 'halt-tracker');
                    }
                }
            }
        } catch (EngineException $fault) {
            $result['items_retained'] = true;
            $result['messages'][]     = $fault->sentence();
        }
        foreach (array_filter([self::sealed_outside(true), self::of_the_earlier((string) $email)]) as $text) {
            $result['items_retained'] = true;
            $result['messages'][]     = $text;
        }
        $result['messages'] = array_values(array_unique($result['messages']));
        return $result;
    }

    /** What is said of forms that nobody can search; empty when there is none. */
    private static function sealed_outside(bool $erasing = false): string
    {
        if (Capture::count() === 0) {
            return '';
        }
        return $erasing
            ? __('Some forms are sealed outside the store and cannot be searched. If one of them is of this person, it is erased as soon as the engine takes it over.', 'halt-tracker')
            : __('Some forms are sealed outside the store and cannot be searched. Whether one of them is of this person is known when the engine has taken them over; export again then.', 'halt-tracker');
    }

    /** What is said of rows of the earlier plugin that name an address; empty when there is none. */
    private static function of_the_earlier(string $email): string
    {
        $count = EarlierTable::naming($email);
        if ($count === 0) {
            return '';
        }
        /* translators: 1: number of rows, 2: name of a table */
        return sprintf(_n('%1$s row of the earlier plugin’s table %2$s contains this address. It was not taken over, and lies there in the clear.', '%1$s rows of the earlier plugin’s table %2$s contain this address. They were not taken over, and lie there in the clear.', $count, 'halt-tracker'), number_format_i18n($count), EarlierTable::table());
    }

    private static function of_others(int $count): string
    {
        /* translators: %s: number of submissions */
        return sprintf(_n('%s submission of somebody else names this address in a text and was left as it is. Search for the address in the Sync Log to look at it.', '%s submissions of others name this address in a text and were left as they are. Search for the address in the Sync Log to look at them.', $count, 'halt-tracker'), number_format_i18n($count));
    }

    /**
     * All submissions with an address, and those of them that are somebody else's and only name it.
     *
     * @return array{list<string>,list<string>}
     * @throws EngineException A store that cannot be searched is not an empty one.
     */
    private static function found(string $email): array
    {
        $answer = Engine::has_store() ? Engine::act(['action' => 'find_person', 'email' => $email]) : [];
        return [array_map('strval', array_values($answer['ids'] ?? [])), array_map('strval', array_values($answer['mentioned'] ?? []))];
    }

    /**
     * @param array<string,mixed> $one
     * @return list<array{name:string,value:string}>
     */
    private static function rows(array $one): array
    {
        $rows = [
            ['name' => __('Received', 'halt-tracker'), 'value' => (string) wp_date('c', (int) (((int) $one['received_at']) / 1000))],
            ['name' => __('Form', 'halt-tracker'), 'value' => esc_html((string) (($one['form']['title'] ?? '') !== '' ? $one['form']['title'] : ($one['form']['id'] ?? '')))],
            ['name' => __('State', 'halt-tracker'), 'value' => Messages::state((string) $one['state'])],
        ];
        foreach ([(array) ($one['fields'] ?? []), (array) ($one['meta'] ?? [])] as $values) {
            foreach ($values as $name => $value) {
                $label  = (string) ($one['labels'][$name] ?? '');
                $rows[] = ['name' => esc_html($label !== '' ? $label : (string) $name), 'value' => esc_html(self::text($value))];
            }
        }
        if (!empty($one['unopened'])) {
            $rows[] = ['name' => __('Not available now', 'halt-tracker'), 'value' => esc_html(Messages::sentence((string) $one['unopened']))];
        }
        foreach ($one['file_list'] ?? [] as $file) {
            $rows[] = ['name' => __('File', 'halt-tracker'), 'value' => esc_html((string) $file['name'])];
        }
        return $rows;
    }

    /** @param mixed $value Whatever a sender nested, with everything that is in it. */
    private static function text($value): string
    {
        if (!is_array($value)) {
            return Options::as_text($value);
        }
        $parts = [];
        foreach ($value as $name => $inner) {
            $parts[] = (is_string($name) ? $name . ': ' : '') . self::text($inner);
        }
        return implode(', ', $parts);
    }
}
