<?php
/**
 * Puts the plugin's condition into Site Health, where people look when something seems wrong; no secret and no personal datum is in it.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Site Health tests and the debug section. */
final class Health
{
    /** @var array{0:array<string,mixed>|null,1:EngineException|null}|null */
    private static ?array $status = null;

    /**
     * @param mixed $tests
     * @return mixed
     */
    public static function site_status_tests($tests)
    {
        if (!is_array($tests)) {
            return $tests;
        }
        foreach (self::tests() as $name => $label) {
            $tests['direct']['halt_tracker_' . $name] = [
                'label' => $label,
                'test'  => static fn (): array => self::result($name, self::$name()),
            ];
        }
        return $tests;
    }

    /**
     * @param mixed $info
     * @return mixed
     */
    public static function debug_information($info)
    {
        if (!is_array($info)) {
            return $info;
        }
        [$status, $fault] = self::status();
        $version = Engine::version();
        $rows    = [
            'plugin'   => [__('Plugin version', 'halt-tracker'), VERSION],
            'engine'   => [__('Engine', 'halt-tracker'), Engine::state() . ' ' . ($version['version'] ?? '') . ' ' . ($version['revision'] ?? '')],
            'api'      => [__('Interface', 'halt-tracker'), ($version['api'] ?? '-') . ' / ' . Engine::API],
            'php'      => [__('PHP', 'halt-tracker'), PHP_VERSION . ' ' . PHP_SAPI . (PHP_ZTS ? ' ZTS' : ' NTS')],
            'data_dir' => [__('Data folder (back it up)', 'halt-tracker'), Places::known_data_dir()],
            'key_file' => [__('Key file (back it up)', 'halt-tracker'), Places::known_key_file()],
            'store'    => [__('Store', 'halt-tracker'), $status !== null ? size_format((int) ($status['store']['bytes'] ?? 0)) : (string) ($fault?->ht_code)],
            'counts'   => [__('Submissions', 'halt-tracker'), $status !== null ? Engine::encode((object) $status['counts']) : '-'],
            'lane'     => [__('Paused for', 'halt-tracker'), $status !== null ? implode(', ', array_column($status['lane']['reasons'] ?? [], 'reason')) : '-'],
            'captured' => [__('Kept without the engine', 'halt-tracker'), (string) Capture::count()],
            'cron'     => [__('WP-Cron switched off', 'halt-tracker'), defined('DISABLE_WP_CRON') && DISABLE_WP_CRON ? 'yes' : 'no'],
        ];
        $fields = [];
        foreach ($rows as $name => [$label, $value]) {
            $fields[$name] = ['label' => $label, 'value' => $value, 'private' => in_array($name, ['data_dir', 'key_file'], true)];
        }
        $info['halt-tracker'] = ['label' => 'Halt Tracker', 'fields' => $fields];
        return $info;
    }

    /** @return array<string,string> */
    private static function tests(): array
    {
        return [
            'engine'      => __('Halt Tracker engine', 'halt-tracker'),
            'store'       => __('Halt Tracker store', 'halt-tracker'),
            'keys'        => __('Halt Tracker keys', 'halt-tracker'),
            'heartbeat'   => __('Halt Tracker schedule', 'halt-tracker'),
            'credentials' => __('Halt Tracker credentials', 'halt-tracker'),
            'decisions'   => __('Halt Tracker submissions', 'halt-tracker'),
            'captured'    => __('Halt Tracker forms kept without the engine', 'halt-tracker'),
        ];
    }

    /** @return array{0:array<string,mixed>|null,1:EngineException|null} */
    private static function status(): array
    {
        self::$status ??= Engine::try_status();
        return self::$status;
    }

    /** @return array{0:string,1:string,2:string} Status, headline, text. */
    private static function engine(): array
    {
        $code = Engine::state_code();
        if ($code === '') {
            return ['good', __('The engine is running', 'halt-tracker'), __('The PHP extension is loaded and fits this plugin.', 'halt-tracker')];
        }
        return self::by_code($code, $code === 'HT-1003' ? 'recommended' : 'critical');
    }

    /** @return array{0:string,1:string,2:string} */
    private static function store(): array
    {
        [$status, $fault] = self::status();
        if ($status === null && $fault !== null && !in_array($fault->ht_code, ['HT-1115', 'HT-1001', 'HT-1002'], true)) {
            return self::by_code($fault->ht_code, 'critical');
        }
        $dir  = Places::known_data_dir();
        $mode = $dir !== '' ? (int) @fileperms($dir) & 0077 : 0;
        if ($mode !== 0) {
            return ['critical', __('The data folder can be read by others', 'halt-tracker'), __('Its permissions should be 0700.', 'halt-tracker')];
        }
        if ($dir !== '' && Places::is_below_web_root($dir)) {
            return ['recommended', __('The data folder lies below the web root', 'halt-tracker'), __('Its contents are sealed and deny files protect it. A folder outside is better: set HALT_TRACKER_DATA_DIR before the first submission.', 'halt-tracker')];
        }
        return ['good', __('The store is in order', 'halt-tracker'), __('Data folder and key file are listed under Info; back up both.', 'halt-tracker')];
    }

    /** @return array{0:string,1:string,2:string} */
    private static function keys(): array
    {
        $file = Places::known_key_file();
        if ($file !== '' && Engine::has_store() && !@is_file($file)) {
            return self::by_code('HT-1301', 'critical');
        }
        if ($file !== '' && @is_file($file) && !@is_readable($file)) {
            return self::by_code('HT-1302', 'critical');
        }
        return ['good', __('The keys are in order', 'halt-tracker'), __('Back up the key file: without it nothing that is stored can be read.', 'halt-tracker')];
    }

    /** @return array{0:string,1:string,2:string} */
    private static function heartbeat(): array
    {
        $status = self::status()[0];
        if (Pulse::is_late($status)) {
            $text = Pulse::beat($status) > 0
                /* translators: %s: a time span such as "3 hours" */
                ? __('The last run was %s ago. Check WP-Cron, or let a real cron call wp-cron.php.', 'halt-tracker')
                /* translators: %s: a time span such as "3 hours" */
                : __('There never was a run, and a submission has been waiting for %s. Check WP-Cron, or let a real cron call wp-cron.php.', 'halt-tracker');
            return ['critical', __('Nothing was processed lately', 'halt-tracker'), sprintf($text, human_time_diff(Pulse::last($status)))];
        }
        if (!wp_next_scheduled(Relay::HOOK)) {
            return ['critical', __('The cron event is missing', 'halt-tracker'), __('It is put back when an administrator opens any page, or when the next submission arrives.', 'halt-tracker')];
        }
        return ['good', __('Submissions are processed regularly', 'halt-tracker'), __('The cron event is scheduled.', 'halt-tracker')];
    }

    /** @return array{0:string,1:string,2:string} */
    private static function credentials(): array
    {
        foreach (self::status()[0]['lane']['reasons'] ?? [] as $reason) {
            if ($reason['reason'] === 'credentials') {
                return self::by_code((string) ($reason['code'] ?? 'HT-1504'), 'critical');
            }
        }
        return ['good', __('No trouble with the credentials', 'halt-tracker'), __('Test connection on the Dashboard asks Tracker itself.', 'halt-tracker')];
    }

    /** @return array{0:string,1:string,2:string} */
    private static function decisions(): array
    {
        $counts = self::status()[0]['counts'] ?? [];
        $open   = (int) ($counts['attention'] ?? 0) + (int) ($counts['failed'] ?? 0);
        if ($open > 0) {
            /* translators: %s: number of submissions */
            return ['recommended', sprintf(_n('%s submission needs you', '%s submissions need you', $open, 'halt-tracker'), number_format_i18n($open)), __('They are kept. The Sync Log says what each of them needs.', 'halt-tracker')];
        }
        return ['good', __('No submission needs a decision', 'halt-tracker'), ''];
    }

    /** @return array{0:string,1:string,2:string} */
    private static function captured(): array
    {
        $lost = get_option('halt_tracker_lost', []);
        if (is_array($lost) && (int) ($lost['count'] ?? 0) > 0) {
            return self::by_code('HT-1803', 'critical');
        }
        $stuck = get_option('halt_tracker_adoption', []);
        if (is_array($stuck) && (int) ($stuck['left'] ?? 0) > 0 && !empty($stuck['codes'])) {
            return self::by_code((string) $stuck['codes'][0], 'recommended');
        }
        return ['good', __('No form is stuck outside the store', 'halt-tracker'), ''];
    }

    /** @return array{0:string,1:string,2:string} */
    private static function by_code(string $code, string $status): array
    {
        $row = Messages::of($code);
        return [$status, Messages::title($code), $row['what'] . ' ' . $row['safe'] . ' ' . $row['next']];
    }

    /**
     * @param array{0:string,1:string,2:string} $said
     * @return array<string,mixed>
     */
    private static function result(string $name, array $said): array
    {
        return [
            'label'       => $said[1],
            'status'      => $said[0],
            'badge'       => ['label' => 'Halt Tracker', 'color' => 'blue'],
            'description' => '<p>' . esc_html($said[2]) . '</p>',
            'actions'     => sprintf('<p><a href="%s">%s</a></p>', esc_url(admin_url('admin.php?page=halt-tracker')), esc_html__('Open the Dashboard', 'halt-tracker')),
            'test'        => 'halt_tracker_' . $name,
        ];
    }
}
