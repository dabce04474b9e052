<?php
/**
 * Catches an accepted Divi form and hands it over; it prints nothing, throws nothing and calls nobody while the visitor waits.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The listener of Divi's one hook. */
final class Divi
{
    /**
     * Untyped on purpose: others fire this hook too, and a type error here would break their page.
     *
     * @param mixed $fields
     * @param mixed $error
     * @param mixed $info
     */
    public static function et_pb_contact_form_submit($fields = [], $error = true, $info = []): void
    {
        try {
            // Divi fires for rejected submissions as well.
            if (!empty($error) || !is_array($fields)) {
                return;
            }
            Calm::work(static fn () => self::take($fields, is_array($info) ? $info : []));
        } catch (\Throwable $fault) {
            self::lost('', $fault);
        }
    }

    /**
     * @param array<mixed> $given
     * @param array<mixed> $info
     */
    private static function take(array $given, array $info): void
    {
        $submission = self::submission($given, $info);
        $summary    = [
            'id'              => $submission['id'],
            'source'          => 'divi',
            'contact_form_id' => self::word($info, 'contact_form_id'),
            'unique_id'       => self::word($info, 'contact_form_unique_id'),
            'post_id'         => (int) self::word($info, 'post_id'),
        ];
        // Only a clear no keeps a form out; a filter that forgets to return anything does not.
        if (self::filtered('halt_tracker_accept_submission', true, $summary, $submission['fields']) === false) {
            return;
        }
        $changed           = $submission;
        $changed['fields'] = self::changed('halt_tracker_submission_fields', $submission['fields'], $summary);
        $changed['meta']   = self::changed('halt_tracker_submission_meta', $submission['meta'], $summary);
        $answer = self::hand_over(self::attempt(static fn (): string => self::encode($changed), '') !== '' ? $changed : $submission);
        self::attempt([Relay::class, 'after_a_capture'], null);
        if ($answer === null || $answer['state'] === 'ignored') {
            return;
        }
        if (!empty($answer['relay'])) {
            Relay::after_the_answer();
        }
        Relay::fire('halt_tracker_submission_accepted', (string) $answer['id'], $summary);
    }

    /**
     * To the engine, else into the site's own table.
     *
     * @param array<string,mixed> $submission
     * @return array<string,mixed>|null
     */
    private static function hand_over(array $submission): ?array
    {
        $id = (string) $submission['id'];
        try {
            return Engine::call('accept', [self::encode($submission)]);
        } catch (\Throwable $fault) {
            $code = $fault instanceof EngineException ? $fault->getCode() : 1004;
        }
        try {
            Capture::keep($submission, $code);
            return ['id' => $id, 'state' => 'queued', 'relay' => false];
        } catch (\Throwable $fault) {
            self::lost($id, $fault);
            return null;
        }
    }

    /** The last resort: one line in the log and a counter that turns Site Health red; never a trace, traces carry values. */
    private static function lost(string $id, \Throwable $fault): void
    {
        try {
            $code = $fault instanceof EngineException ? $fault->ht_code : 'HT-1004';
            // phpcs:ignore WordPress.PHP.DevelopmentFunctions
            error_log('halt-tracker HT-1803 submission=' . ($id === '' ? '-' : $id) . ' cause=' . $code . ' ' . get_class($fault));
            Lost::note($code);
        } catch (\Throwable) {
            return;
        }
    }

    /**
     * The submission as the engine reads it.
     *
     * @param array<mixed> $given
     * @param array<mixed> $info
     * @return array<string,mixed>
     */
    private static function submission(array $given, array $info): array
    {
        $slashed = ($info['module_slug'] ?? '') === 'et_pb_contact_form';
        $fields  = [];
        $labels  = [];
        foreach ($given as $key => $field) {
            $value = is_array($field) && array_key_exists('value', $field) ? $field['value'] : $field;
            $value = is_array($value) ? array_values(array_map('strval', array_filter($value, 'is_scalar'))) : (is_scalar($value) ? (string) $value : '');
            // Only the older module leaves WordPress' slashes in; taking them off twice damages backslashes.
            $still        = $slashed || (is_array($field) && is_string($value) && str_contains($value, '\\') && self::attempt(static fn (): bool => self::is_still_slashed((string) $key, $value, $field), false));
            $fields[$key] = $still ? wp_unslash($value) : $value;
            $labels[$key] = self::attempt(static fn (): string => self::label(is_array($field) ? ($field['label'] ?? '') : ''), '');
        }
        $found = self::attempt(static fn (): array => DiviContent::of_submission($info), ['css_id' => '', 'title' => '']);
        $known = array_intersect_key($info, array_flip(['contact_form_id', 'contact_form_unique_id', 'contact_form_number', 'module_slug', 'post_id']));
        return [
            'id'          => wp_generate_uuid4(),
            'received_at' => (int) (microtime(true) * 1000),
            'timestamp'   => self::attempt(static fn (): string => (string) wp_date('c'), gmdate('c')),
            'fields'      => $fields,
            'labels'      => $labels,
            'info'        => array_filter($known, static fn ($value): bool => $value === null || is_bool($value) || is_int($value) || is_string($value)),
            'css_id'      => $found['css_id'],
            'title'       => $found['title'],
            'meta'        => self::attempt(static fn (): array => self::meta($info, $found['title']), []),
            'token'       => self::attempt(static fn (): string => self::token($info), ''),
            'files'       => self::attempt(static fn (): array => DiviUploads::files($fields), []),
        ];
    }

    /**
     * Whether a value of the newer module still has WordPress' slashes, as in releases before 5.0: then it is what was posted,
     * cleaned as it came, and not what was posted without them.
     *
     * @param array<mixed> $field
     */
    private static function is_still_slashed(string $key, string $value, array $field): bool
    {
        $clean = static fn (string $text): string => trim(($field['type'] ?? '') === 'text' ? sanitize_textarea_field($text) : sanitize_text_field($text));
        // phpcs:ignore WordPress.Security.NonceVerification -- Divi has checked its nonce.
        foreach ($_POST as $name => $posted) {
            if (is_string($posted) && is_string($name) && preg_match('/^et_pb_contact_\d+_' . preg_quote($key, '/') . '_\d+$/i', $name)) {
                return $clean($posted) === $value && $clean(wp_unslash($posted)) !== $value;
            }
        }
        return false;
    }

    /** @param mixed $label Comes from the browser on the older module. */
    private static function label($label): string
    {
        $text = is_scalar($label) ? wp_strip_all_tags(str_replace('&quot;', '"', (string) $label)) : '';
        return mb_substr($text, 0, 200);
    }

    /**
     * @param array<mixed> $info
     * @return array<string,string>
     */
    private static function meta(array $info, string $title): array
    {
        $post = self::attempt(static fn () => is_numeric($info['post_id'] ?? null) ? get_post((int) $info['post_id']) : null, null);
        // Each on its own: other plugins' filters stand behind every one of them.
        $meta = [
            'page_url'   => self::attempt(static fn (): string => $post ? (string) get_permalink($post) : home_url('/'), ''),
            'page_title' => self::attempt(static fn (): string => $post ? html_entity_decode(wp_strip_all_tags(get_the_title($post)), ENT_QUOTES | ENT_HTML5, 'UTF-8') : '', ''),
            'form_title' => $title,
            'locale'     => self::attempt(static fn (): string => (string) determine_locale(), ''),
        ];
        // phpcs:ignore WordPress.Security.NonceVerification -- Divi has checked its nonce; these are the page's own parameters.
        foreach ($_GET as $name => $value) {
            if (is_string($name) && is_string($value) && preg_match('/^utm_[a-z0-9_]{1,40}$/', $name)) {
                $meta[$name] = mb_substr(wp_unslash($value), 0, 500);
            }
        }
        return $meta;
    }

    /** The nonce that came with this form: two posts with the same one may be one click. @param array<mixed> $info */
    private static function token(array $info): string
    {
        $is_block = ($info['module_slug'] ?? '') === 'divi/contact-form';
        $suffix   = $is_block ? ($info['contact_form_unique_id'] ?? '') : ($info['contact_form_number'] ?? '');
        // phpcs:ignore WordPress.Security.NonceVerification
        $token = $_POST['_wpnonce-et-pb-contact-form-submitted-' . (is_scalar($suffix) ? $suffix : '')] ?? '';
        return is_string($token) ? wp_unslash($token) : '';
    }

    /**
     * The submission as JSON; empty objects stay objects.
     *
     * @param array<string,mixed> $submission
     */
    public static function encode(array $submission): string
    {
        foreach (['fields', 'meta', 'labels', 'info'] as $map) {
            $submission[$map] = (object) $submission[$map];
        }
        return Engine::encode($submission);
    }

    /** A word of what Divi says of the form. @param array<mixed> $info */
    private static function word(array $info, string $name): string
    {
        return is_scalar($info[$name] ?? null) ? (string) $info[$name] : '';
    }

    /**
     * Decoration: what throws here is left out, because no form is lost for it.
     *
     * @param mixed $else
     * @return mixed
     */
    private static function attempt(callable $work, $else)
    {
        try {
            return $work();
        } catch (\Throwable) {
            return $else;
        }
    }

    /**
     * What a filter made of a map; anything that is no map, or that cannot be written down, counts as no change.
     *
     * @param array<mixed> $map
     * @param array<string,mixed> $summary
     * @return array<mixed>
     */
    private static function changed(string $hook, array $map, array $summary): array
    {
        $after = self::filtered($hook, $map, $summary);
        return is_array($after) && self::attempt(static fn (): string => Engine::encode((object) $after), '') !== '' ? $after : $map;
    }

    /**
     * A filter whose failure counts as no change.
     *
     * @param mixed $value
     * @param mixed ...$more
     * @return mixed
     */
    private static function filtered(string $hook, $value, ...$more)
    {
        try {
            // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals -- the name is one of ours.
            return apply_filters($hook, $value, ...$more);
        } catch (\Throwable) {
            return $value;
        }
    }
}
