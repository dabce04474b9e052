<?php
/**
 * Finds the public key under which a form is sealed while the engine is away, and makes the first key file when a site never had one.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The key file: written once, never over another. It opens nothing that is sealed; only the engine does. */
final class KeyFile
{
    private const GUARD = '<?php exit; ?>';

    /**
     * Key id and public key.
     *
     * @return array{0:string,1:string}
     * @throws EngineException When none can be had.
     */
    public static function public_key(): array
    {
        $known = self::parse((string) get_option('halt_tracker_public_key', ''));
        if ($known !== null) {
            return $known;
        }
        $path = Places::key_file();
        if (!@is_file($path)) {
            self::make($path);
        }
        $lines = explode("\n", (string) @file_get_contents($path));
        $key   = json_decode($lines[1] ?? '', true);
        $found = is_array($key) ? self::parse(($key['id'] ?? '') . ':' . ($key['box_public'] ?? '')) : null;
        if ($found === null) {
            throw new EngineException('HT-1302', 'the key file gives no public key');
        }
        self::remember($found[0], base64_encode($found[1]));
        return $found;
    }

    /** Keeps the public key that the engine uses now. */
    public static function remember(string $id, string $public): void
    {
        $text = $id . ':' . $public;
        if (self::parse($text) !== null && get_option('halt_tracker_public_key', '') !== $text) {
            update_option('halt_tracker_public_key', $text, false);
        }
    }

    /** Puts a copy of the key beside another ring: what was sealed under it while the engine was away opens there too. */
    public static function bring_along(string $from, string $ring): void
    {
        $text = $from === $ring ? '' : (string) @file_get_contents($from);
        $key  = json_decode(explode("\n", $text)[1] ?? '', true);
        $id   = is_array($key) ? (string) ($key['id'] ?? '') : '';
        $path = dirname($ring) . '/' . basename($ring, '.php') . '.' . $id . '.php';
        if (preg_match('/^[0-9a-f]{16}$/', $id) && @is_file($ring) && !@is_file($path) && !str_contains((string) @file_get_contents($ring), $id)) {
            self::write($path, $text);
        }
    }

    /** @return array{0:string,1:string}|null */
    private static function parse(string $text): ?array
    {
        [$id, $public] = array_pad(explode(':', $text, 2), 2, '');
        $bytes = base64_decode($public, true);
        return preg_match('/^[0-9a-f]{16}$/', $id) && is_string($bytes) && strlen($bytes) === SODIUM_CRYPTO_BOX_PUBLICKEYBYTES ? [$id, $bytes] : null;
    }

    /**
     * Makes a key, unless somebody else's is there already.
     *
     * @throws EngineException
     */
    private static function make(string $path): void
    {
        $pair = sodium_crypto_box_keypair();
        $key  = Engine::encode([
            'v'          => 1,
            'id'         => bin2hex(random_bytes(8)),
            'seal'       => base64_encode(random_bytes(32)),
            'hash'       => base64_encode(random_bytes(32)),
            'box_secret' => base64_encode(sodium_crypto_box_secretkey($pair)),
            'box_public' => base64_encode(sodium_crypto_box_publickey($pair)),
            'made_at'    => (int) (microtime(true) * 1000),
        ]);
        Places::make(dirname($path));
        self::write($path, self::GUARD . "\n" . $key . "\n");
    }

    /**
     * Writes a draft and links it to its place: the file appears whole, or somebody else's is there already.
     *
     * @throws EngineException
     */
    private static function write(string $path, string $text): void
    {
        $draft  = dirname($path) . '/.' . bin2hex(random_bytes(8)) . '.new';
        $before = umask(0077);
        $file   = @fopen($draft, 'xb');
        umask($before);
        if ($file === false) {
            throw new EngineException('HT-1302', 'the key folder cannot be written');
        }
        try {
            $done = fwrite($file, $text) === strlen($text) && fflush($file) && fsync($file);
            fclose($file);
            // link() does not replace a file; where hard links are not to be had, or hosts have switched the function
            // off, "x" does the same less smoothly.
            $linked = $done && function_exists('link') && @link($draft, $path);
            if ($done && !$linked && !@is_file($path)) {
                $place = @fopen($path, 'xb');
                $done  = $place !== false && fwrite($place, $text) === strlen($text) && fflush($place) && fsync($place);
                if ($place !== false) {
                    @chmod($path, 0600);
                    fclose($place);
                }
            }
        } finally {
            @unlink($draft);
        }
        if (!$done) {
            throw new EngineException('HT-1302', 'the key file cannot be written');
        }
        $folder = @fopen(dirname($path), 'rb');
        if ($folder !== false) {
            @fsync($folder);
            fclose($folder);
        }
    }
}
