<?php
/**
 * The handlers behind the guided start: capability, nonce, input, one call, and back to the guide.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Capabilities;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;
use Halt\Tracker\WordPress\Options;
use Halt\Tracker\WordPress\Relay;

defined('ABSPATH') || exit;

/** One method per handler, named like it. */
final class GuideActions
{
    public const HANDLERS = ['connect', 'use_api', 'send_test'];

    /** Saves the credentials and asks Tracker at once. */
    public static function connect(): void
    {
        Input::guard('connect', Capabilities::MANAGE, 'manage_options');
        $names  = ['environment', 'client_id', 'client_secret', 'refresh_token', 'api_token'];
        $given  = array_filter(array_combine($names, array_map([Input::class, 'text'], $names)), static fn (string $text): bool => $text !== '');
        $errors = Save::credentials(array_diff_key($given, array_flip(Options::SECRETS)), array_intersect_key($given, array_flip(Options::SECRETS)));
        $saved  = Save::saved_before($errors);
        if ($saved !== '') {
            Page::flash('warning', $saved);
        }
        foreach ($errors as $error) {
            Page::flash('error', Save::sentence($error));
        }
        if ($errors === []) {
            self::attempt(static function (): void {
                self::choose(Tested::now());
            });
        }
        self::back();
    }

    /** Uses an API that the test found working. */
    public static function use_api(): void
    {
        Input::guard('use_api', Capabilities::MANAGE, 'manage_options');
        $api = Input::text('api');
        if (!empty(Tested::last()[$api]['works'])) {
            Options::save('api', $api);
            /* translators: %s: name of an API */
            Page::flash('success', sprintf(__('%s is used from now on.', 'halt-tracker'), Fields::choice_label($api)));
        }
        self::back();
    }

    /** Stores the marked test of a form and runs at once. */
    public static function send_test(): void
    {
        Input::guard('send_test', Capabilities::MANAGE);
        $key  = Input::text('form');
        $form = Preview::forms(Engine::try_status()[0])[$key] ?? null;
        $more = ['form' => $key];
        if ($form !== null) {
            self::attempt(static function () use ($form, &$more): void {
                $test = Engine::act(['action' => 'test', 'form' => Preview::plain($form)]);
                if (($test['state'] ?? '') === 'ignored') {
                    Page::flash('warning', __('This form is set to be ignored, so nothing was sent. Change that under Settings, Forms.', 'halt-tracker'));
                    return;
                }
                $more['sent'] = (string) $test['id'];
                $report       = Relay::run('button', 20000);
                $why          = match ($report['outcome'] ?? '') {
                    'paused'  => Pauses::still(),
                    'busy'    => Messages::of('HT-1607')['what'],
                    'waiting' => Messages::of('HT-1614')['what'],
                    default   => '',
                };
                if ($why !== '') {
                    Page::flash('info', $why);
                }
            });
        }
        self::back($more);
    }

    /**
     * Where the API in use does not work and the other one does, that one is the answer.
     *
     * @param list<array<string,mixed>> $apis
     */
    private static function choose(array $apis): void
    {
        $works = array_column(array_filter($apis, static fn (array $api): bool => !empty($api['works'])), 'api');
        if ($works !== [] && !in_array(Options::text('api'), $works, true)) {
            Options::save('api', (string) $works[0]);
        }
        if ($works !== []) {
            /* translators: %s: name of an API */
            Page::flash('success', sprintf(__('Tracker accepts the credentials. %s is used.', 'halt-tracker'), Fields::choice_label(Options::text('api'))));
            return;
        }
        foreach ($apis as $api) {
            Page::flash('warning', Save::api_words($api));
        }
    }

    private static function attempt(callable $work): void
    {
        try {
            $work();
        } catch (EngineException $fault) {
            Page::flash_fault($fault);
        }
    }

    /** @param array<string,string> $more */
    private static function back(array $more = []): void
    {
        wp_safe_redirect(Menu::url(Menu::DASHBOARD, ['guide' => '1'] + $more) . '#halt-guide');
        exit;
    }
}
