<?php
/**
 * Reads what a form posted: unslashed once, valid UTF-8, without control characters, and otherwise as it was typed.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

defined('ABSPATH') || exit;

/** Posted values. Every handler has checked capability and nonce before it calls this. */
final class Input
{
    /**
     * The guard of every handler: capability, then nonce, and POST only.
     */
    public static function guard(string $handler, string ...$capabilities): void
    {
        foreach ($capabilities as $capability) {
            if (!current_user_can($capability)) {
                wp_die(esc_html__('You are not allowed to do this.', 'halt-tracker'), '', ['response' => 403]);
            }
        }
        if (!self::is_post()) {
            wp_die(esc_html__('This address takes POST requests only.', 'halt-tracker'), '', ['response' => 405]);
        }
        check_admin_referer('halt_tracker_' . $handler);
    }

    /** Whether this request is a POST. */
    public static function is_post(): bool
    {
        return strtoupper((string) ($_SERVER['REQUEST_METHOD'] ?? '')) === 'POST';
    }

    /** Whether a field of this name was posted at all. */
    public static function has(string $name): bool
    {
        // phpcs:ignore WordPress.Security.NonceVerification -- the handler has checked it.
        return isset($_POST[$name]);
    }

    /** How many fields the browser sent, whether PHP took them or not. */
    public static function sent(): int
    {
        return substr_count((string) file_get_contents('php://input'), '&') + 1;
    }

    /** One line. */
    public static function text(string $name): string
    {
        return trim(str_replace("\n", ' ', self::lines($name)));
    }

    /** Several lines, with plain line ends. */
    public static function lines(string $name): string
    {
        // phpcs:ignore WordPress.Security -- the caller has checked the nonce; values are escaped where they are shown.
        return self::clean($_POST[$name] ?? '');
    }

    /** A list of values. @return list<string> */
    public static function all(string $name): array
    {
        // phpcs:ignore WordPress.Security
        $values = $_POST[$name] ?? [];
        return array_values(array_filter(array_map([self::class, 'clean'], is_array($values) ? $values : []), static fn (string $one): bool => $one !== ''));
    }

    /** A list of groups of values. @return list<array<string,string>> */
    public static function groups(string $name): array
    {
        // phpcs:ignore WordPress.Security
        $groups = $_POST[$name] ?? [];
        return array_values(array_map(static fn (array $group): array => array_map([self::class, 'clean'], $group), array_filter(is_array($groups) ? $groups : [], 'is_array')));
    }

    /** Groups inside of groups, in the order of {@see Input::groups()}. @return list<list<array<string,string>>> */
    public static function nested(string $name, string $part): array
    {
        // phpcs:ignore WordPress.Security
        $groups = $_POST[$name] ?? [];
        $groups = array_values(array_filter(is_array($groups) ? $groups : [], 'is_array'));
        return array_map(static function (array $group) use ($part): array {
            $rows = array_filter(is_array($group[$part] ?? null) ? $group[$part] : [], 'is_array');
            return array_values(array_map(static fn (array $row): array => array_map([self::class, 'clean'], $row), $rows));
        }, $groups);
    }

    /** A value of the address: filters and pages only, never anything that changes something. */
    public static function query(string $name): string
    {
        // phpcs:ignore WordPress.Security
        return trim(self::clean($_GET[$name] ?? ''));
    }

    /** @param mixed $value */
    public static function clean($value): string
    {
        $text = is_scalar($value) ? wp_check_invalid_utf8((string) wp_unslash((string) $value)) : '';
        $text = str_replace(["\r\n", "\r"], "\n", $text);
        return (string) preg_replace('/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/', '', $text);
    }
}
