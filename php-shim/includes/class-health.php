<?php
/**
 * Puts the plugin's condition into Site Health, where people look when something seems wrong; no secret and no personal datum is in it.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

use Halt\Tracker\WordPress\Health\Debug;
use Halt\Tracker\WordPress\Health\Folder;
use Halt\Tracker\WordPress\Health\Probe;
use Halt\Tracker\WordPress\Health\Store;
use Halt\Tracker\WordPress\Health\Surroundings;
use Halt\Tracker\WordPress\Health\Work;

defined('ABSPATH') || exit;

/** The list of checks; what each of them looks at stands in `health/`. */
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
        foreach (self::direct() as $name => [$label, $check]) {
            $tests['direct']['halt_tracker_' . $name] = ['label' => $label, 'test' => static fn (): array => self::result($name, $check())];
        }
        foreach (self::remote() as $name => [$label, $check]) {
            $tests['async']['halt_tracker_' . $name] = [
                'label'             => $label,
                'test'              => rest_url('halt-tracker/v1/health/' . $name),
                'has_rest'          => true,
                'async_direct_test' => static fn (): array => self::result($name, $check()),
            ];
        }
        return $tests;
    }

    /** The checks that go out to this very site are asked for by the Site Health page, one request each. */
    public static function rest_api_init(): void
    {
        foreach (self::remote() as $name => [, $check]) {
            register_rest_route('halt-tracker/v1', '/health/' . $name, [
                'methods'             => 'GET',
                'permission_callback' => static fn (): bool => current_user_can('view_site_health_checks'),
                'callback'            => static fn (): array => self::result($name, $check()),
            ]);
        }
    }

    /**
     * @param mixed $info
     * @return mixed
     */
    public static function debug_information($info)
    {
        if (is_array($info)) {
            $info['halt-tracker'] = ['label' => 'Halt Tracker', 'fields' => Debug::fields(...self::status())];
        }
        return $info;
    }

    /** Every check with its result, for the command line. @return array<string,array<string,mixed>> */
    public static function all(): array
    {
        $all = [];
        foreach (self::direct() + self::remote() as $name => [, $check]) {
            $all[$name] = self::result($name, $check());
        }
        return $all;
    }

    /** The engine's status, asked for once. @return array{0:array<string,mixed>|null,1:EngineException|null} */
    public static function status(): array
    {
        return self::$status ??= Engine::try_status();
    }

    /**
     * A finding in the words of a code.
     *
     * @return array{0:string,1:string,2:string}
     */
    public static function by_code(string $code, string $status): array
    {
        $row = Messages::of($code);
        return [$status, Messages::title($code), $row['what'] . ' ' . $row['safe'] . ' ' . $row['next']];
    }

    /** @return array<string,array{0:string,1:callable():array{0:string,1:string,2:string}}> */
    private static function direct(): array
    {
        return [
            'engine'      => [__('Halt Tracker engine', 'halt-tracker'), [Surroundings::class, 'engine']],
            'binary'      => [__('Halt Tracker extension file', 'halt-tracker'), [Surroundings::class, 'binary']],
            'everywhere'  => [__('Halt Tracker engine on the command line', 'halt-tracker'), [Surroundings::class, 'everywhere']],
            'store'       => [__('Halt Tracker store', 'halt-tracker'), [Store::class, 'store']],
            'copy'        => [__('Halt Tracker copy of a site', 'halt-tracker'), [Store::class, 'copy']],
            'keys'        => [__('Halt Tracker keys', 'halt-tracker'), [Store::class, 'keys']],
            'captured'    => [__('Halt Tracker forms kept without the engine', 'halt-tracker'), [Store::class, 'captured']],
            'heartbeat'   => [__('Halt Tracker schedule', 'halt-tracker'), [Work::class, 'heartbeat']],
            'waiting'     => [__('Halt Tracker oldest waiting submission', 'halt-tracker'), [Work::class, 'waiting']],
            'decisions'   => [__('Halt Tracker submissions', 'halt-tracker'), [Work::class, 'decisions']],
            'credentials' => [__('Halt Tracker credentials', 'halt-tracker'), [Work::class, 'credentials']],
            'clock'       => [__('Halt Tracker clock', 'halt-tracker'), [Work::class, 'clock']],
            'divi'        => [__('Halt Tracker and Divi', 'halt-tracker'), [Surroundings::class, 'divi']],
            'earlier'     => [__('Earlier Halt Tracker plugin', 'halt-tracker'), [Surroundings::class, 'earlier']],
        ];
    }

    /** @return array<string,array{0:string,1:callable():array{0:string,1:string,2:string}}> */
    private static function remote(): array
    {
        return [
            'webhook' => [__('Halt Tracker webhook at full size', 'halt-tracker'), [Probe::class, 'check']],
            'folder'  => [__('Halt Tracker data folder over the web', 'halt-tracker'), [Folder::class, 'check']],
        ];
    }

    /**
     * @param array{0:string,1:string,2:string} $said Status, headline, text.
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
