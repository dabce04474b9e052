<?php
/**
 * Names the files that upload add-ons laid down for a Divi form; it opens none, because the engine checks each one first.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Divi has no uploads of its own: two add-ons put file names into a text field and the files into a known folder. */
final class DiviUploads
{
    /**
     * @param array<string|int,mixed> $fields Values by field key.
     * @return list<array{field:string,path:string,name:string,dirs:list<string>}>
     */
    public static function files(array $fields): array
    {
        $files = [];
        $dirs  = null;
        foreach ($fields as $key => $value) {
            if (!is_string($value) || $value === '' || !self::is_file_field((string) $key)) {
                continue;
            }
            $dirs ??= self::dirs();
            foreach (explode(',', $value) as $name) {
                // The name is the visitor's word: only its last part counts, and only inside the known folders.
                $name = wp_basename(trim($name));
                if ($name !== '' && $name !== '.' && $name !== '..' && $dirs !== []) {
                    $files[] = ['field' => (string) $key, 'path' => self::path($name, $dirs), 'name' => $name, 'dirs' => $dirs];
                }
            }
        }
        return $files;
    }

    private static function is_file_field(string $key): bool
    {
        // PHP turns spaces and dots of a posted name into underscores.
        $key = preg_quote(str_replace([' ', '.'], '_', $key), '/');
        // phpcs:ignore WordPress.Security.NonceVerification -- Divi has checked its nonce.
        foreach ($_POST as $name => $value) {
            if ($value === 'yes' && is_string($name) && preg_match('/^et_pb_contact_(?:\d+_)?' . $key . '_\d+_is_file$/i', $name)) {
                return true;
            }
        }
        return false;
    }

    /** @return list<string> Folders from which files may be taken. */
    private static function dirs(): array
    {
        try {
            $uploads = (string) (wp_get_upload_dir()['basedir'] ?? '');
        } catch (\Throwable) {
            // Somebody's filter of the folder: the usual place is as good a guess.
            $uploads = WP_CONTENT_DIR . '/uploads';
        }
        $dirs    = [$uploads . '/pwh-dcfh-uploads/tmp', $uploads . '/cfefd-uploads/tmp'];
        try {
            $changed = apply_filters('halt_tracker_upload_dirs', $dirs);
        } catch (\Throwable) {
            $changed = $dirs;
        }
        $changed = is_array($changed) ? $changed : $dirs;
        return array_values(array_filter($changed, static fn ($dir): bool => is_string($dir) && $dir !== '' && $dir[0] === '/'));
    }

    /** @param non-empty-list<string> $dirs */
    private static function path(string $name, array $dirs): string
    {
        foreach ($dirs as $dir) {
            if (@is_file($dir . '/' . $name)) {
                return $dir . '/' . $name;
            }
        }
        return $dirs[0] . '/' . $name;
    }
}
