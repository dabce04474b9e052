<?php
/**
 * Keeps in an option who was erased, as the engine's keyed hashes with times, so that a store that is put back from a host's backup forgets them again.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** What the store and the site tell each other about erasures. There is no name and no address in it. */
final class Erasures
{
    private const OPTION = 'halt_tracker_erased';

    /**
     * Tells the engine what this site remembers, and remembers what the engine knows.
     *
     * @throws EngineException
     */
    public static function share(): void
    {
        if (!Engine::has_store()) {
            return;
        }
        $known  = self::known();
        $answer = Engine::act(['action' => 'erasures', 'known' => (object) $known]);
        $erased = is_array($answer['erased'] ?? null) ? $answer['erased'] : [];
        if ($erased !== $known) {
            update_option(self::OPTION, Engine::encode((object) $erased), false);
        }
    }

    /** After an erasure: it is done, whether or not it can be written down here at once; the next run tries again. */
    public static function after_one(): void
    {
        try {
            self::share();
        } catch (\Throwable $fault) {
            unset($fault);
        }
    }

    /**
     * Before a run. A store that is only busy makes the run wait for the next one; whatever else is wrong the run itself
     * will say, and an engine that does not know of this goes on as it did.
     *
     * @throws EngineException
     */
    public static function before_a_run(): void
    {
        try {
            self::share();
        } catch (EngineException $fault) {
            if ($fault->ht_code === 'HT-1104') {
                throw $fault;
            }
        }
    }

    /** @return array<string,int> */
    private static function known(): array
    {
        $known = json_decode((string) get_option(self::OPTION, ''), true);
        return is_array($known) ? array_map('intval', array_filter($known, 'is_numeric')) : [];
    }
}
