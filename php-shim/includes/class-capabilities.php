<?php
/**
 * Grants the plugin's two capabilities to administrators without writing into the stored roles, so that nothing is left behind.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Who may look and who may change. */
final class Capabilities
{
    /** Dashboard, Sync Log, retry. */
    public const VIEW = 'view_halt_tracker';
    /** Everything else. */
    public const MANAGE = 'manage_halt_tracker';

    /**
     * @param mixed $caps All capabilities of the user.
     * @return mixed
     */
    public static function user_has_cap($caps)
    {
        if (is_array($caps) && !empty($caps['manage_options'])) {
            $caps[self::VIEW]   = true;
            $caps[self::MANAGE] = true;
        } elseif (is_array($caps) && !empty($caps[self::MANAGE])) {
            $caps[self::VIEW] = true;
        }
        return $caps;
    }
}
