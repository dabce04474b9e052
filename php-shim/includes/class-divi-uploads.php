<?php
/**
 * Names the files that upload add-ons laid down for a Divi form. It reads one only where the engine cannot, and under the same
 * conditions; whether another submission has taken it is the engine's to say, by what is named here.
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
     * @return list<array{field:string,path:string,name:string,dirs:list<string>,size:int,modified:int,device:int,inode:int}>
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
                    $path    = self::path($name, $dirs);
                    $about   = @stat($path);
                    $about   = is_array($about) ? $about : [];
                    $files[] = ['field' => (string) $key, 'path' => $path, 'name' => $name, 'dirs' => $dirs, 'size' => (int) ($about['size'] ?? 0), 'modified' => (int) ($about['mtime'] ?? 0), 'device' => (int) ($about['dev'] ?? 0), 'inode' => (int) ($about['ino'] ?? 0)];
                }
            }
        }
        return $files;
    }

    /**
     * Opens a named file to be read: a regular file, no link, inside a known folder, younger than a day, or nothing.
     *
     * @param array<string,mixed> $file One of {@see files()}.
     * @return resource|null
     */
    public static function open(array $file)
    {
        $path  = (string) ($file['path'] ?? '');
        $about = @lstat($path);
        $real  = @realpath($path);
        if (!is_array($about) || $real === false || ($about['mode'] & 0170000) !== 0100000 || $about['mtime'] < time() - DAY_IN_SECONDS) {
            return null;
        }
        $inside = array_filter((array) ($file['dirs'] ?? []), static function ($dir) use ($real): bool {
            $known = @realpath((string) $dir);
            return $known !== false && str_starts_with($real, $known . '/');
        });
        $handle = $inside !== [] ? @fopen($real, 'rb') : false;
        if ($handle === false) {
            return null;
        }
        // What was opened is what was looked at: no link has taken its place meanwhile.
        $opened = fstat($handle);
        if (!is_array($opened) || $opened['ino'] !== $about['ino'] || $opened['dev'] !== $about['dev']) {
            fclose($handle);
            return null;
        }
        return $handle;
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
