<?php
/**
 * Reads what Divi's hook leaves out, a form's CSS id and title, from the saved content; a form that is not found there is no error.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Forms as they stand in posts and theme-builder layouts. */
final class DiviContent
{
    /**
     * The form that was submitted.
     *
     * @param array<mixed> $info
     * @return array{css_id:string,title:string}
     */
    public static function of_submission(array $info): array
    {
        $found = ['css_id' => '', 'title' => ''];
        $named = is_scalar($info['contact_form_id'] ?? null) ? (string) $info['contact_form_id'] : '';
        // The older module gives the CSS id where one is set, else a name of its own making.
        if ($named !== '' && !str_starts_with($named, 'et_pb_contact_form_')) {
            $found['css_id'] = $named;
        }
        try {
            $unique = is_scalar($info['contact_form_unique_id'] ?? null) ? (string) $info['contact_form_unique_id'] : '';
            $post   = is_numeric($info['post_id'] ?? null) ? get_post((int) $info['post_id']) : null;
            foreach ($post ? self::in_content($post->post_content) : [] as $at => $form) {
                $same = $unique !== '' ? $form['unique_id'] === $unique : $at === (int) ($info['contact_form_number'] ?? 0);
                if ($same && !$form['shared']) {
                    return self::named($found, $form);
                }
            }
            foreach (self::in_layouts($unique) as $form) {
                if ($form['unique_id'] === $unique) {
                    return self::named($found, $form);
                }
            }
        } catch (\Throwable) {
            return $found;
        }
        return $found;
    }

    /**
     * @param array{css_id:string,title:string} $found What the hook said.
     * @param array<string,mixed>               $form
     * @return array{css_id:string,title:string}
     */
    private static function named(array $found, array $form): array
    {
        return ['css_id' => $found['css_id'] !== '' ? $found['css_id'] : (string) $form['css_id'], 'title' => (string) $form['title']];
    }

    /**
     * Forms of theme-builder areas and of the library: few posts, and the only ones in which a form stands outside its page.
     *
     * @return list<array{unique_id:string,css_id:string,title:string,shared:bool}>
     */
    private static function in_layouts(string $unique): array
    {
        global $wpdb;
        if (!wp_is_uuid($unique)) {
            return [];
        }
        // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- a search in content; WP_Query cannot do it without loading all.
        $contents = $wpdb->get_col($wpdb->prepare("SELECT post_content FROM {$wpdb->posts} WHERE post_type IN ('et_header_layout', 'et_body_layout', 'et_footer_layout', 'et_pb_layout') AND post_status IN ('publish', 'private') AND post_content LIKE %s LIMIT 3", '%' . $wpdb->esc_like($unique) . '%'));
        return array_merge([], ...array_map(static fn ($content): array => self::in_content((string) $content), (array) $contents));
    }

    /**
     * Every form in a piece of content; a shared one has its name where it is kept, not where it stands.
     *
     * @return list<array{unique_id:string,css_id:string,title:string,shared:bool}>
     */
    public static function in_content(string $content): array
    {
        $forms = [];
        if (str_contains($content, '[et_pb_contact_form') && preg_match_all('/\[et_pb_contact_form\s([^\]]*)\]/', $content, $matches)) {
            foreach ($matches[1] as $text) {
                $set     = (array) shortcode_parse_atts($text);
                $forms[] = self::row($set['_unique_id'] ?? '', $set['module_id'] ?? '', ($set['title'] ?? '') !== '' ? $set['title'] : ($set['admin_label'] ?? ''));
            }
        }
        if (str_contains($content, 'wp:divi/') && preg_match_all('/<!-- wp:divi\/(contact-form|global-layout) (\{.*?\}) \/?-->/s', $content, $matches, PREG_SET_ORDER)) {
            foreach ($matches as $match) {
                $set = json_decode($match[2], true);
                if ($match[1] === 'global-layout' && ($set['blockName'] ?? '') !== 'divi/contact-form') {
                    continue;
                }
                $set     = is_array($set) ? ($match[1] === 'global-layout' ? ($set['localAttrs'] ?? []) : $set) : [];
                $title   = self::first($set['title']['innerContent'] ?? null);
                $title   = $title !== '' ? $title : self::first($set['module']['meta']['adminLabel'] ?? null);
                $css_id  = self::css_id($set);
                $forms[] = ['shared' => $match[1] === 'global-layout' && $title . $css_id === '']
                    + self::row(self::first($set['module']['advanced']['uniqueId'] ?? null), $css_id, $title);
            }
        }
        return $forms;
    }

    /**
     * The forms of the whole site, for the pages: at most 500 posts are looked at.
     *
     * @return array<string,array{key:string,title:string,css_id:string,page:string}>
     */
    public static function all(): array
    {
        global $wpdb;
        $marks = ['%[et\\_pb\\_contact\\_form%', '%wp:divi/contact-form%', '%divi/contact-form%'];
        // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- a search in content; WP_Query cannot do it without loading all.
        $posts = $wpdb->get_results($wpdb->prepare("SELECT ID, post_title, post_content FROM {$wpdb->posts} WHERE post_status IN ('publish','private','draft') AND (post_content LIKE %s OR post_content LIKE %s OR post_content LIKE %s) ORDER BY ID LIMIT 500", $marks));
        $forms = [];
        foreach ((array) $posts as $post) {
            foreach (self::in_content((string) $post->post_content) as $at => $form) {
                $key = $form['unique_id'] !== '' ? $form['unique_id'] : $post->ID . ':' . ($form['css_id'] !== '' ? $form['css_id'] : 'et_pb_contact_form_' . $at);
                $forms[$key] ??= ['key' => $key, 'title' => $form['title'], 'css_id' => $form['css_id'], 'page' => (string) $post->post_title];
            }
        }
        return $forms;
    }

    /** How many published pages still hold a form in the older notation, which Divi 5 shows through a layer of its own. */
    public static function unconverted(): int
    {
        global $wpdb;
        // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- a count in content.
        return (int) $wpdb->get_var($wpdb->prepare("SELECT count(*) FROM {$wpdb->posts} WHERE post_status = 'publish' AND post_content LIKE %s", '%[et\\_pb\\_contact\\_form%'));
    }

    /**
     * The CSS id of a block: among the attributes of one's own, where Divi 5 has moved it, or in its former place.
     *
     * @param array<mixed> $set
     */
    private static function css_id(array $set): string
    {
        $own = $set['module']['decoration']['attributes']['desktop']['value']['attributes'] ?? [];
        foreach (is_array($own) ? $own : [] as $one) {
            if (is_array($one) && ($one['name'] ?? '') === 'id' && in_array($one['targetElement'] ?? '', ['', 'main'], true)) {
                return self::first($one['value'] ?? '');
            }
        }
        return self::first($set['module']['advanced']['htmlAttributes'] ?? null, 'id');
    }

    /**
     * The first text in a nest of Divi's responsive values, under a member's name where one is given.
     *
     * @param mixed $nest
     */
    private static function first($nest, string $member = ''): string
    {
        if (is_scalar($nest)) {
            return $member === '' ? (string) $nest : '';
        }
        foreach (is_array($nest) ? $nest : [] as $name => $inner) {
            $text = $member !== '' && $name === $member ? self::first($inner) : self::first($inner, $member);
            if ($text !== '') {
                return $text;
            }
        }
        return '';
    }

    /**
     * @param mixed $unique
     * @param mixed $css_id
     * @param mixed $title
     * @return array{unique_id:string,css_id:string,title:string,shared:bool}
     */
    private static function row($unique, $css_id, $title): array
    {
        $clean = html_entity_decode(wp_strip_all_tags((string) $title), ENT_QUOTES | ENT_HTML5, 'UTF-8');
        return ['unique_id' => (string) $unique, 'css_id' => (string) $css_id, 'title' => mb_substr($clean, 0, 200), 'shared' => false];
    }
}
