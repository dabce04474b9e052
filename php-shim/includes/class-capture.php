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
     * Seals and keeps a form.
     *
     * @param string $id   The submission's id.
     * @param string $json The submission, as the engine would have got it.
     * @param int    $code Why the engine did not take it: 1104 for HT-1104.
     * @throws EngineException When it could not be kept.
     */
    public static function keep(string $id, string $json, int $code): void
    {
        global $wpdb;
        [$key_id, $public] = KeyFile::public_key();
        $sealed = sodium_crypto_box_seal($json, $public);
        $table  = self::table();
        // As hex, so that nothing between here and the table takes the bytes for text.
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $insert = $wpdb->prepare("INSERT INTO `$table` (id, part, parts, hash, key_id, format, created_at, code, sealed) VALUES (%s, 0, 1, %s, %s, 1, %d, %d, UNHEX(%s))", $id, hash('sha256', $json), $key_id, (int) (microtime(true) * 1000), $code, bin2hex($sealed));
        $quiet  = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB
        $kept = $wpdb->query($insert) === 1;
        if (!$kept && self::create_table()) {
            // phpcs:ignore WordPress.DB
            $kept = $wpdb->query($insert) === 1;
        }
        $wpdb->suppress_errors($quiet);
        if (!$kept) {
            throw new EngineException('HT-1803', 'the capture table cannot be written');
        }
    }

    /** How many forms wait here. */
    public static function count(): int
    {
        global $wpdb;
        $table = self::table();
        $quiet = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $count = (int) $wpdb->get_var("SELECT COUNT(DISTINCT id) FROM `$table`");
        $wpdb->suppress_errors($quiet);
        return $count;
    }

    /**
     * Hands every kept form to the engine, the oldest first.
     *
     * @return array{adopted:int,left:int,codes:list<string>}
     */
    public static function adopt(): array
    {
        global $wpdb;
        $result = ['adopted' => 0, 'left' => 0, 'codes' => []];
        $table  = self::table();
        $quiet  = $wpdb->suppress_errors(true);
        // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery -- the name is the prefix and a constant.
        $ids = (array) $wpdb->get_col("SELECT id FROM `$table` WHERE part = 0 ORDER BY created_at, id LIMIT 500");
        foreach ($ids as $at => $id) {
            // phpcs:ignore WordPress.DB.PreparedSQL, WordPress.DB.DirectDatabaseQuery
            $row = $wpdb->get_row($wpdb->prepare("SELECT id, hash, key_id, HEX(sealed) AS sealed FROM `$table` WHERE id = %s AND part = 0", $id));
            if (!$row) {
                continue;
            }
            try {
                Engine::call('adopt', [Engine::encode(['id' => $row->id, 'hash' => $row->hash, 'key_id' => $row->key_id]), (string) hex2bin($row->sealed)]);
            } catch (EngineException $fault) {
                $result['codes'][] = $fault->ht_code;
                // A row that cannot be opened stays and holds up nothing; anything else will meet the next row too.
                if (!in_array($fault->ht_code, ['HT-1801', 'HT-1802'], true)) {
                    $result['left'] += count($ids) - $at;
                    break;
                }
                $result['left']++;
                continue;
            }
            // phpcs:ignore WordPress.DB.DirectDatabaseQuery
            $wpdb->delete($table, ['id' => $id]);
            $result['adopted']++;
        }
        $wpdb->suppress_errors($quiet);
        $result['codes'] = array_values(array_unique($result['codes']));
        return $result;
    }
}
