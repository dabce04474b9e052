<?php
/**
 * The commands that change submissions: each button of the Sync Log as a verb, for a terminal.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Cli;

use Halt\Tracker\WordPress\Engine;

defined('ABSPATH') || exit;

/** What a person may decide about submissions. */
final class Deeds
{
    /**
     * Sends submissions again.
     *
     * ## OPTIONS
     *
     * [<id>...]
     * : The submissions.
     *
     * [--all-failed]
     * : All that failed.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function retry($args, $options): void
    {
        if (empty($options['all-failed'])) {
            self::act('retry', $args);
            return;
        }
        $answer = ['changed' => [], 'refused' => []];
        do {
            $turn = Commands::attempt(static fn (): array => Engine::act(['action' => 'retry', 'state' => 'failed']));
            foreach (['changed', 'refused'] as $part) {
                $answer[$part] = array_merge($answer[$part], $turn[$part]);
            }
        } while ((int) ($turn['left'] ?? 0) > 0 && $turn['changed'] !== []);
        Commands::changed($answer);
    }

    /**
     * Sends submissions that were held for review.
     *
     * ## OPTIONS
     *
     * [<id>...]
     * : The submissions.
     *
     * [--earlier]
     * : All that came over from the earlier plugin and wait.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function release($args, $options): void
    {
        if (empty($options['earlier'])) {
            self::act('release', $args);
            return;
        }
        $count = (int) (Commands::attempt(static fn (): array => Engine::act(['action' => 'release_earlier']))['count'] ?? 0);
        /* translators: %d: number of submissions */
        \WP_CLI::success(sprintf(_n('%d released.', '%d released.', $count, 'halt-tracker'), $count));
    }

    /**
     * Discards submissions: they are never sent.
     *
     * ## OPTIONS
     *
     * <id>...
     * : The submissions.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function discard($args, $options): void
    {
        \WP_CLI::confirm(__('Discard these submissions?', 'halt-tracker'), $options);
        self::act('discard', $args);
    }

    /**
     * Discards submissions as spam.
     *
     * ## OPTIONS
     *
     * <id>...
     * : The submissions.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function spam($args, $options): void
    {
        \WP_CLI::confirm(__('Discard these submissions as spam?', 'halt-tracker'), $options);
        self::act('spam', $args);
    }

    /**
     * Says that the record of a submission is in Tracker, under this id; nothing is created then.
     *
     * ## OPTIONS
     *
     * <id>
     * : The submission.
     *
     * <tracker-id>
     * : The number of its record in Tracker.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function exists($args, $options): void
    {
        /* translators: %s: an id */
        \WP_CLI::confirm(sprintf(__('Use the record %s of Tracker for this submission?', 'halt-tracker'), $args[1]), $options);
        self::act('exists', [$args[0]], ['tracker_id' => (int) $args[1]]);
    }

    /**
     * Says that a submission is not in Tracker: it is looked for once more, then sent.
     *
     * ## OPTIONS
     *
     * <id>...
     * : The submissions.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function absent($args, $options): void
    {
        \WP_CLI::confirm(__('Are you sure that it is not in Tracker? It is sent again if one more look does not find it.', 'halt-tracker'), $options);
        self::act('absent', $args);
    }

    /**
     * Erases the data of submissions, or of a person.
     *
     * ## OPTIONS
     *
     * [<id>...]
     * : The submissions.
     *
     * [--email=<email>]
     * : All submissions of this person.
     *
     * [--yes]
     * : Do not ask.
     *
     * @param list<string> $args
     * @param array<string,mixed> $options
     */
    public function erase($args, $options): void
    {
        $email = (string) ($options['email'] ?? '');
        if ($email !== '') {
            $found = Commands::attempt(static fn (): array => Engine::act(['action' => 'find_person', 'email' => $email]));
            $other = $found['mentioned'] ?? [];
            $args  = array_values(array_unique(array_merge($args, array_diff($found['ids'] ?? [], $other))));
            if ($other !== []) {
                /* translators: %s: ids of submissions */
                \WP_CLI::log(sprintf(__('Left as they are, because they are of others and only name the address in a text: %s', 'halt-tracker'), implode(' ', $other)));
            }
        }
        if ($args === [] && $email === '') {
            \WP_CLI::success(__('Nothing to erase.', 'halt-tracker'));
            return;
        }
        /* translators: %d: number of submissions */
        \WP_CLI::confirm(sprintf(_n('Erase the data of %d submission for ever?', 'Erase the data of %d submissions for ever?', count($args), 'halt-tracker'), count($args)), $options);
        // By address also what comes in later from a place where it lies sealed.
        Commands::changed(Commands::attempt(static fn (): array => Engine::act(['action' => 'erase', 'ids' => $args] + ($email !== '' ? ['email' => $email] : []))));
    }

    /**
     * @param list<string>        $ids
     * @param array<string,mixed> $more
     */
    private static function act(string $action, array $ids, array $more = []): void
    {
        if ($ids === []) {
            \WP_CLI::error(__('Which submissions? Name their ids.', 'halt-tracker'));
        }
        Commands::changed(Commands::attempt(static fn (): array => Engine::act(['action' => $action, 'ids' => array_values($ids)] + $more)));
    }
}
