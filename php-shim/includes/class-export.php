<?php
/**
 * Writes submissions in full as rows, for the CSV of the pages and of the command line; each of them is noted in the audit log.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Holds the ids and one submission at a time, so that a store of any size fits into memory. */
final class Export
{
    /** What every row begins with; the fields of the forms follow. */
    private const HEAD = ['id', 'received', 'form', 'source', 'state', 'code', 'record_type', 'tracker_id'];

    /**
     * The submissions that a query finds, oldest first.
     *
     * @param array<string,mixed> $query As the engine's list takes it.
     * @return \Generator<string>
     * @throws EngineException
     */
    public static function ids(array $query): \Generator
    {
        $query = ['per_page' => 500, 'page' => 0, 'sort' => 'received_at', 'direction' => 'asc'] + $query;
        do {
            $query['page']++;
            $items = Engine::call('list', [Engine::encode($query)])['items'];
            foreach ($items as $item) {
                yield (string) $item['id'];
            }
        } while ($items !== []);
    }

    /**
     * One submission in full.
     *
     * @return array<string,mixed>
     * @throws EngineException
     */
    public static function one(string $id, string $where): array
    {
        Audit::viewed($where, $id);
        return Engine::call('get', [$id]);
    }

    /**
     * Writes CSV. Each submission is read twice: the head of a table comes before its rows, so a first pass collects the names of
     * all fields. Nothing of it is laid by in between: a file that a killed process leaves behind would hold everybody in the clear.
     *
     * @param iterable<string> $ids
     * @param resource         $to
     * @param callable():void|null $begin Called before the first byte is written.
     * @throws EngineException When the ids themselves cannot be listed; nothing is written then.
     */
    public static function csv(iterable $ids, $to, string $where, ?callable $begin = null): void
    {
        // Taken down first: who comes in meanwhile has no column.
        $ids   = is_array($ids) ? $ids : iterator_to_array($ids, false);
        $names = [];
        foreach ($ids as $id) {
            Audit::viewed($where, $id);
            $names += array_fill_keys(array_keys(self::row_of($id)), true);
        }
        $columns = array_keys(array_fill_keys(self::HEAD, true) + $names);
        if ($begin !== null) {
            $begin();
        }
        // A byte order mark, because spreadsheets take the text for another encoding without it.
        fwrite($to, "\xEF\xBB\xBF");
        self::line($to, $columns);
        foreach ($ids as $id) {
            $row = self::row_of($id);
            self::line($to, array_map(static fn ($name): string => (string) ($row[$name] ?? ''), $columns));
        }
    }

    /** One that cannot be read must not keep all the others from being handed out. @return array<string,string> */
    private static function row_of(string $id): array
    {
        try {
            return self::row(Engine::call('get', [$id]));
        } catch (EngineException $fault) {
            return ['id' => $id, 'code' => $fault->ht_code];
        }
    }

    /** Spreadsheets take a cell that begins like this for a formula. */
    public static function harmless(string $cell): string
    {
        return preg_match('/^[=+\-@\t\r]/', $cell) ? "'" . $cell : $cell;
    }

    /** @param resource $to @param list<string|int> $cells */
    private static function line($to, array $cells): void
    {
        fputcsv($to, array_map(static fn ($cell): string => self::harmless((string) $cell), $cells), ',', '"', '');
    }

    /** @param array<string,mixed> $one @return array<string,string> */
    private static function row(array $one): array
    {
        $row = [
            'id'          => (string) ($one['id'] ?? ''),
            'received'    => (string) wp_date('Y-m-d H:i:s', intdiv((int) ($one['received_at'] ?? 0), 1000)),
            'form'        => (string) ($one['form']['id'] ?? ''),
            'source'      => (string) ($one['source'] ?? ''),
            'state'       => (string) ($one['state'] ?? ''),
            // Without its fields a row says why they are missing.
            'code'        => (string) ($one['unopened'] ?? $one['code'] ?? ''),
            'record_type' => (string) ($one['record_type'] ?? ''),
            'tracker_id'  => (string) ($one['tracker_id'] ?? ''),
        ];
        foreach (['fields' => 'field ', 'meta' => 'page '] as $part => $prefix) {
            foreach ((array) ($one[$part] ?? []) as $name => $value) {
                $row[$prefix . $name] = is_array($value) ? Engine::encode($value) : Options::as_text($value);
            }
        }
        $files = array_column($one['file_list'] ?? [], 'name');
        return $files === [] ? $row : $row + ['files' => implode(', ', $files)];
    }
}
