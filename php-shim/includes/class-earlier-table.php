<?php
/**
 * Hands what the earlier plugin kept in its table to the engine, row by row, and deletes a row only once the engine has it; it reads no payload itself.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The table `{prefix}halt_tracker_queue`, its stored reports and its tokens. */
final class EarlierTable
{
    private const PAGE = 100;

    /** Codes that speak of the engine, the store or its keys, and not of one row. */
    private const STORE = '/^HT-(1001|1002|11\d\d|13\d\d)$/';

    /** What the earlier plugin kept beside its table: results of its runs, and tokens. */
    private const OPTIONS    = ['reports', 'last_sync_time', 'jobs_created', 'jobs_updated', 'jobs_failed', 'sync_errors'];
    private const TRANSIENTS = ['sync_lock', 'access_token', 'jwt'];

    /** The table's name on this site. */
    public static function table(): string
    {
        global $wpdb;
        return $wpdb->prefix . 'halt_tracker_queue';
    }

    /**
     * Takes over what is there, the oldest first, for as long as there is time. A row that fails stays and holds up nothing.
     *
     * @param float     $seconds After which no further row is begun.
     * @param list<int> $refused The rows that the engine has read and refused: no run will ever take them.
     * @return array{taken:int,left:int,codes:list<string>}
     */
    public static function take_over(float $seconds, array &$refused = []): array
    {
        global $wpdb;
        $result = ['taken' => 0, 'left' => 0, 'codes' => []];
        $table  = self::table();
        $quiet  = $wpdb->suppress_errors(true);
        $end    = microtime(true) + $seconds;
        $last   = 0;
        $whole  = true;
        do {
            // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
            $ids = (array) $wpdb->get_col($wpdb->prepare("SELECT id FROM `$table` WHERE id > %d ORDER BY id LIMIT %d", $last, self::PAGE));
            foreach ($ids as $id) {
                $code = microtime(true) < $end ? self::row((int) $id, $refused) : null;
                if ($code === null || preg_match(self::STORE, $code)) {
                    $whole = false;
                    break 2;
                }
                $last = (int) $id;
                $result[$code === '' ? 'taken' : 'left']++;
                $result['codes'][] = $code;
            }
        } while ($ids !== []);
        if ($whole) {
            self::forget();
        } else {
            // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
            $result['left'] = (int) $wpdb->get_var("SELECT COUNT(*) FROM `$table`");
        }
        $wpdb->suppress_errors($quiet);
        $result['codes'] = array_values(array_unique(array_filter($result['codes'])));
        self::remember($result);
        return $result;
    }

    /** How many rows cannot be taken over, and the code of the first. @return array{left:int,code:string} */
    public static function stuck(): array
    {
        $known = get_option('halt_tracker_earlier', []);
        $codes = is_array($known) ? (array) ($known['codes'] ?? []) : [];
        return ['left' => $codes === [] ? 0 : (int) ($known['left'] ?? 0), 'code' => (string) ($codes[0] ?? '')];
    }

    /** How many rows contain an address, also as the end of another one. They lie there in the clear, and no other search finds them. */
    public static function naming(string $email): int
    {
        global $wpdb;
        // Anything less would be found in every row.
        if (!preg_match('/.@./u', $email)) {
            return 0;
        }
        $table = self::table();
        $quiet = $wpdb->suppress_errors(true);
        $likes = array_map(static fn (string $text): string => '%' . $wpdb->esc_like($text) . '%', self::spellings($email));
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $count = (int) $wpdb->get_var($wpdb->prepare("SELECT COUNT(*) FROM `$table` WHERE payload LIKE %s OR payload LIKE %s", $likes));
        $wpdb->suppress_errors($quiet);
        return $count;
    }

    /**
     * Erases a person here. What can be read is taken over first, so that it is found in the store; of the rows that the engine
     * refuses, and that nobody can deliver, those go that name the address, and not only one that ends like it.
     *
     * @return int How many rows are erased.
     */
    public static function erase(string $email, float $seconds): int
    {
        global $wpdb;
        $refused = [];
        if (self::naming($email) === 0) {
            return 0;
        }
        self::take_over($seconds, $refused);
        $table  = self::table();
        $quiet  = $wpdb->suppress_errors(true);
        $whole  = array_map(static fn (string $text): string => '(^|[^A-Za-z0-9._%+-])' . preg_quote($text) . '($|[^A-Za-z0-9.-]|[.]($|[^A-Za-z0-9]))', self::spellings($email));
        $erased = 0;
        foreach ($refused as $id) {
            // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
            $erased += (int) $wpdb->query($wpdb->prepare("DELETE FROM `$table` WHERE id = %d AND (payload REGEXP %s OR payload REGEXP %s)", $id, $whole[0], $whole[1]));
        }
        $wpdb->suppress_errors($quiet);
        return $erased;
    }

    /** An address as a person writes it, and as JSON may. @return array{string,string} */
    private static function spellings(string $email): array
    {
        $email = trim($email);
        return [$email, substr((string) json_encode($email, JSON_INVALID_UTF8_SUBSTITUTE), 1, -1)];
    }

    /**
     * One row: nothing when the engine has it, else the code.
     *
     * @param list<int> $refused Grows by the row when the engine cannot read it.
     */
    private static function row(int $id, array &$refused): string
    {
        global $wpdb;
        $table = self::table();
        // phpcs:disable WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $row = $wpdb->get_row($wpdb->prepare("SELECT created_at, updated_at, source, form_id, status, LENGTH(payload) AS bytes FROM `$table` WHERE id = %d", $id));
        if (!$row) {
            return '';
        }
        if (!self::fits((int) $row->bytes)) {
            return 'HT-1804';
        }
        $payload = (string) $wpdb->get_var($wpdb->prepare("SELECT payload FROM `$table` WHERE id = %d", $id));
        $at      = self::time((string) $row->created_at) ?? self::time((string) $row->updated_at) ?? current_datetime();
        try {
            Engine::call('adopt', [Engine::encode([
                'earlier'     => $id,
                'source'      => (string) $row->source,
                'form_id'     => (string) $row->form_id,
                'status'      => (string) $row->status,
                'received_at' => $at->getTimestamp() * 1000,
                'timestamp'   => $at->format('c'),
            ]), $payload]);
        } catch (\Throwable $fault) {
            $code = $fault instanceof EngineException ? $fault->ht_code : 'HT-1004';
            if ($code === 'HT-1804') {
                $refused[] = $id;
            }
            return $code;
        }
        $wpdb->delete($table, ['id' => $id], ['%d']);
        // phpcs:enable
        return '';
    }

    /** Times of that table are the site's own, without a zone. */
    private static function time(string $text): ?\DateTimeImmutable
    {
        $at = \DateTimeImmutable::createFromFormat('!Y-m-d H:i:s', $text, wp_timezone());
        return $at !== false && $at->getTimestamp() > DAY_IN_SECONDS && $at->getTimestamp() < time() + DAY_IN_SECONDS ? $at : null;
    }

    /** Whether a row can be read without running into the memory limit: a fatal error would end every run at the same row. */
    private static function fits(int $bytes): bool
    {
        $limit = wp_convert_hr_to_bytes((string) ini_get('memory_limit'));
        return $limit <= 0 || $bytes * 3 < $limit - memory_get_usage();
    }

    /** Every row was looked at: what that plugin wrote about its runs, and its tokens, are of no more use. */
    private static function forget(): void
    {
        foreach (self::OPTIONS as $name) {
            delete_option('halt_tracker_' . $name);
        }
        foreach (self::TRANSIENTS as $name) {
            delete_transient('halt_tracker_' . $name);
        }
    }

    /** @param array{taken:int,left:int,codes:list<string>} $result */
    private static function remember(array $result): void
    {
        $after = $result['left'] > 0 ? ['left' => $result['left'], 'codes' => $result['codes']] : [];
        if (get_option('halt_tracker_earlier', []) !== $after) {
            $after === [] ? delete_option('halt_tracker_earlier') : update_option('halt_tracker_earlier', $after, false);
        }
    }
}
