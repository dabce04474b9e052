<?php
/**
 * Keeps a form in the site's own database, sealed, when the engine cannot take it: a visitor cannot be asked to repeat.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The capture table. Rows leave it only when the engine has taken them over. */
final class Capture
{
    /** Another process has taken the row over meanwhile. */
    private const GONE = 'gone';

    /** Codes that speak of the engine, the store or its keys, and not of one row. */
    private const STORE = '/^HT-(1001|1002|11\d\d|13\d\d)$/';

    /** Codes of a form that the engine has looked at and cannot open: no run will, unless somebody brings back what is missing. */
    private const UNOPENED = ['HT-1801', 'HT-1802'];

    /** The table's name on this site. */
    public static function table(): string
    {
        global $wpdb;
        return $wpdb->prefix . 'halt_tracker_capture';
    }

    /** Makes the table if it is not there. */
    public static function create_table(): bool
    {
        global $wpdb;
        $table = self::table();
        // InnoDB by name: a table that forgets on a crash would be no keeping.
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        return (bool) $wpdb->query("CREATE TABLE IF NOT EXISTS `$table` (
            id CHAR(36) NOT NULL, part SMALLINT NOT NULL, parts SMALLINT NOT NULL, hash CHAR(64) NOT NULL,
            key_id CHAR(16) NOT NULL, format TINYINT NOT NULL, created_at BIGINT NOT NULL, code SMALLINT NOT NULL,
            sealed LONGBLOB NOT NULL, PRIMARY KEY (id, part)) ENGINE=InnoDB DEFAULT CHARSET=ascii");
    }

    /**
     * Seals and keeps a form: its files in parts first, the form itself last.
     *
     * @param array<string,mixed> $submission The submission, as the engine would have got it.
     * @param int                 $code       Why the engine did not take it: 1104 for HT-1104.
     * @throws EngineException When it could not be kept.
     */
    public static function keep(array $submission, int $code): void
    {
        $id    = (string) $submission['id'];
        $key   = KeyFile::public_key();
        $parts = new CaptureParts(
            static fn (int $part, string $bytes) => self::write($id, $part, 0, $bytes, $key, $code),
            static fn (int $after) => self::forget($id, $after)
        );
        try {
            $submission['files'] = $parts->files((array) ($submission['files'] ?? []));
            $json = Divi::encode($submission);
            if (strlen($json) > CaptureParts::BYTES) {
                $json = Engine::encode(['id' => $id, 'body' => $parts->text($json)]);
            }
            self::write($id, 0, $parts->count() + 1, $json, $key, $code);
        } catch (\Throwable $fault) {
            $parts->count() > 0 && self::forget($id, 0);
            throw $fault;
        }
    }

    /**
     * One row. As hex, so that nothing between here and the table takes the bytes for text. How many rows a form has is
     * known, and written, with its last one only.
     *
     * @param array{0:string,1:string} $key Id and public key.
     * @throws EngineException
     */
    private static function write(string $id, int $part, int $parts, string $plain, array $key, int $code): void
    {
        global $wpdb;
        $sealed = sodium_crypto_box_seal($plain, $key[1]);
        // A file is known by its hash wherever it lies: of a part the sealed bytes are hashed, its own hash is sealed in the form.
        $hash   = hash('sha256', $part === 0 ? $plain : $sealed);
        $table  = self::table();
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $insert = $wpdb->prepare("INSERT INTO `$table` (id, part, parts, hash, key_id, format, created_at, code, sealed) VALUES (%s, %d, %d, %s, %s, 1, %d, %d, ", $id, $part, $parts, $hash, $key[0], (int) (microtime(true) * 1000), $code)
            . "x'" . bin2hex($sealed) . "')";
        $quiet  = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB
        $kept = $wpdb->query($insert) === 1;
        // Without a connection there is nothing to make a table in, and each further question would wait for one.
        if (!$kept && isset($wpdb->dbh) && self::create_table()) {
            // phpcs:ignore WordPress.DB
            $kept = $wpdb->query($insert) === 1;
        }
        $wpdb->suppress_errors($quiet);
        if (!$kept) {
            throw new EngineException('HT-1803', 'the capture table cannot be written');
        }
    }

    /** Takes parts back that belong to nothing. */
    private static function forget(string $id, int $after): void
    {
        global $wpdb;
        $table = self::table();
        $quiet = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $wpdb->query($wpdb->prepare("DELETE FROM `$table` WHERE id = %s AND part > %d", $id, $after));
        $wpdb->suppress_errors($quiet);
    }

    /** How many forms wait here. */
    public static function count(): int
    {
        global $wpdb;
        $table = self::table();
        $quiet = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $count = (int) $wpdb->get_var("SELECT COUNT(*) FROM `$table` WHERE part = 0");
        $wpdb->suppress_errors($quiet);
        return $count;
    }

    /** When the oldest of them came, in seconds; 0 when there is none. Those that no run could take over are not meant: they have a reason. */
    public static function oldest(): int
    {
        global $wpdb;
        $table = self::table();
        $quiet = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $at = $wpdb->get_var($wpdb->prepare("SELECT created_at FROM `$table` WHERE part = 0 ORDER BY created_at, id LIMIT 1 OFFSET %d", self::stuck()['left']));
        $wpdb->suppress_errors($quiet);
        return intdiv((int) $at, 1000);
    }

    /**
     * How many of them the last run could not take over, and why. Troubles of the store itself are no news of the forms: they
     * are told where the store is, and pass with it.
     *
     * @return array{left:int,code:string}
     */
    public static function stuck(): array
    {
        $last  = get_option('halt_tracker_adoption', []);
        $codes = array_values(array_filter((array) ($last['codes'] ?? []), static fn ($code): bool => is_string($code) && !preg_match(self::STORE, $code)));
        // Those behind them for which there was no time have no trouble of their own.
        return $codes === [] ? ['left' => 0, 'code' => ''] : ['left' => (int) ($last['refused'] ?? $last['left'] ?? 0), 'code' => $codes[0]];
    }

    /** Whether there are some among them that the last run could not open. */
    public static function has_unopened(): bool
    {
        $last = get_option('halt_tracker_adoption', []);
        return is_array($last) && array_intersect((array) ($last['codes'] ?? []), self::UNOPENED) !== [];
    }

    /**
     * Hands every kept form to the engine, the oldest first, for as long as there is time.
     *
     * @param float $seconds After which no further form is begun.
     * @param bool  $discard Whether somebody has said that what the engine cannot open now is to go.
     * @return array{adopted:int,left:int,refused:int,discarded:int,codes:list<string>} How many came over, how many did not, and how many of those cannot.
     */
    public static function adopt(float $seconds, bool $discard = false): array
    {
        global $wpdb;
        $result = ['adopted' => 0, 'left' => 0, 'refused' => 0, 'discarded' => 0, 'codes' => []];
        $table  = self::table();
        $quiet  = $wpdb->suppress_errors(true);
        $end    = microtime(true) + $seconds;
        $last   = [-1, ''];
        do {
            // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
            $page = (array) $wpdb->get_results($wpdb->prepare("SELECT id, created_at FROM `$table` WHERE part = 0 AND (created_at > %d OR (created_at = %d AND id > %s)) ORDER BY created_at, id LIMIT 100", $last[0], $last[0], $last[1]));
            foreach ($page as $row) {
                $code = microtime(true) < $end ? self::hand_over((string) $row->id) : null;
                if ($code === null || preg_match(self::STORE, $code)) {
                    // No time left, or the store itself is in trouble: every further row would meet the same.
                    $result['codes'][] = (string) $code;
                    $result['left']    = self::count();
                    break 2;
                }
                $last = [(int) $row->created_at, (string) $row->id];
                if ($code === '') {
                    $result['adopted']++;
                } elseif ($discard && in_array($code, self::UNOPENED, true)) {
                    self::forget((string) $row->id, -1);
                    $result['discarded']++;
                } elseif ($code !== self::GONE) {
                    $result['left']++;
                    $result['refused']++;
                    $result['codes'][] = $code;
                }
            }
        } while ($page !== []);
        $wpdb->suppress_errors($quiet);
        $result['codes'] = array_values(array_unique(array_filter($result['codes'])));
        return $result;
    }

    /** Hands one form to the engine, part by part, the form itself last: nothing when that went well, else the code. What fails stays and holds up nothing. */
    private static function hand_over(string $id): string
    {
        global $wpdb;
        $table = self::table();
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery
        $parts = (array) $wpdb->get_col($wpdb->prepare("SELECT part FROM `$table` WHERE id = %s ORDER BY part = 0, part", $id));
        if (!in_array('0', $parts, true)) {
            return self::GONE;
        }
        foreach ($parts as $part) {
            // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery
            $row = $wpdb->get_row($wpdb->prepare("SELECT id, part, hash, key_id, HEX(sealed) AS sealed FROM `$table` WHERE id = %s AND part = %d", $id, $part));
            if (!$row) {
                return self::GONE;
            }
            try {
                $about  = ['id' => $row->id, 'part' => (int) $row->part, 'hash' => $row->hash, 'key_id' => $row->key_id];
                $answer = Engine::call('adopt', [Engine::encode($about), (string) hex2bin((string) $row->sealed)]);
            } catch (\Throwable $fault) {
                // Where another process has just finished with it, its parts are gone and nothing is wrong.
                return !self::is_there($id) ? self::GONE : ($fault instanceof EngineException ? $fault->ht_code : 'HT-1004');
            }
            if (!empty($answer['complete'])) {
                // phpcs:ignore WordPress.DB.DirectDatabaseQuery
                $wpdb->delete($table, ['id' => $id]);
                return '';
            }
        }
        return 'HT-1802';
    }

    private static function is_there(string $id): bool
    {
        global $wpdb;
        $table = self::table();
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        return $wpdb->get_var($wpdb->prepare("SELECT 1 FROM `$table` WHERE id = %s AND part = 0", $id)) !== null;
    }

    /** Parts without a form are what a request left that died on the way; nobody was told that they were taken. */
    public static function sweep(): void
    {
        global $wpdb;
        $table = self::table();
        $quiet = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $wpdb->query($wpdb->prepare("DELETE piece FROM `$table` piece LEFT JOIN `$table` form ON form.id = piece.id AND form.part = 0 WHERE piece.part > 0 AND form.id IS NULL AND piece.created_at < %d", (int) ((time() - DAY_IN_SECONDS) * 1000)));
        $wpdb->suppress_errors($quiet);
    }
}
