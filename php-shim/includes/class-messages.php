<?php
/**
 * Finds the texts of an error code, so that every screen explains a code in the same words.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Look-up in the generated table. */
final class Messages
{
    /** @var array<string,array{title:string,what:string,safe:string,next:string}>|null */
    private static ?array $table = null;

    /**
     * The row of a code.
     *
     * @return array{title:string,what:string,safe:string,next:string}
     */
    public static function of(string $code): array
    {
        self::$table ??= require __DIR__ . '/messages.php';
        return self::$table[$code] ?? [
            'title' => $code,
            'what'  => __('The engine reported a code that this version of the plugin does not know.', 'halt-tracker'),
            'safe'  => __('What was accepted before is stored.', 'halt-tracker'),
            'next'  => __('Update the plugin.', 'halt-tracker'),
        ];
    }

    /** Every code with its row. @return array<string,array{title:string,what:string,safe:string,next:string}> */
    public static function all(): array
    {
        return self::$table ??= require __DIR__ . '/messages.php';
    }

    /** What happened, whether the data is safe, what to do next, and the code. */
    public static function sentence(string $code): string
    {
        $row = self::of($code);
        return $row['what'] . ' ' . $row['safe'] . ' ' . $row['next'] . ' (' . $code . ')';
    }

    /** The headline and the code. */
    public static function title(string $code): string
    {
        return self::of($code)['title'] . ' (' . $code . ')';
    }

    /** The name of a state, for people. */
    public static function state(string $state): string
    {
        $names = self::states();
        return $names[$state] ?? $state;
    }

    /** @return array<string,string> State by name to its label. */
    public static function states(): array
    {
        return [
            'queued'    => __('Waiting', 'halt-tracker'),
            'held'      => __('Held for review', 'halt-tracker'),
            'sending'   => __('Sending', 'halt-tracker'),
            'retry'     => __('Trying again', 'halt-tracker'),
            'checking'  => __('Checking in Tracker', 'halt-tracker'),
            'attention' => __('Needs a decision', 'halt-tracker'),
            'failed'    => __('Failed', 'halt-tracker'),
            'done'      => __('Delivered', 'halt-tracker'),
            'discarded' => __('Discarded', 'halt-tracker'),
            'erased'    => __('Erased', 'halt-tracker'),
        ];
    }
}
