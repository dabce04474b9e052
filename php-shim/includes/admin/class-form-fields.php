<?php
/**
 * Knows which fields the forms of this site really have, from what has arrived, so that a mapping is chosen and not typed.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;

defined('ABSPATH') || exit;

/** Names only; the engine leaves the values out. */
final class FormFields
{
    /** Forms that are looked into; the latest ones. */
    private const MOST_FORMS = 12;

    /** What every Divi form begins with, for a site where nothing has arrived yet. */
    private const STOCK = ['name', 'email', 'message'];

    /**
     * The names under which a mapping may speak of what came in, in the order of the forms.
     *
     * @param array<string,mixed>|null $status
     * @return list<string>
     */
    public static function seen(?array $status): array
    {
        $names = [];
        foreach (array_slice($status['forms'] ?? [], 0, self::MOST_FORMS) as $form) {
            $names = array_merge($names, self::of((string) ($form['key'] ?? '')));
        }
        return array_values(array_unique($names !== [] ? $names : self::STOCK));
    }

    /** The fields of a form's last submission. @return list<string> */
    public static function of(string $key): array
    {
        try {
            $fields = Engine::call('preview', [Engine::encode(['form' => $key])])['fields'] ?? [];
            return array_values(array_filter($fields, 'is_string'));
        } catch (EngineException) {
            // Erased, or none is left: its names are gone with it.
            return [];
        }
    }
}
