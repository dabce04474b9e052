<?php
/**
 * What the Webhook tab shows around its settings: the address, the secrets, signing examples and the last refused requests.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Audit;
use Halt\Tracker\WordPress\Engine;
use Halt\Tracker\WordPress\EngineException;
use Halt\Tracker\WordPress\Messages;

defined('ABSPATH') || exit;

/** Parts of the Webhook tab. A generated secret is printed once and kept by nobody but the engine. */
final class WebhookTab
{
    /** @param array<string,mixed>|null $status */
    public static function before(?array $status): void
    {
        echo '<p>' . esc_html__('Send signed POST requests to this address:', 'halt-tracker') . '</p><pre class="halt-code-block" tabindex="0"><code>' . esc_html(self::address()) . '</code></pre>';
        self::generate();
        self::secrets($status);
    }

    /** @param array<string,mixed>|null $status */
    public static function after(?array $status): void
    {
        self::examples();
        self::refusals($status['refusals'] ?? []);
    }

    private static function address(): string
    {
        return rest_url('halt-tracker/v1/ingest');
    }

    private static function generate(): void
    {
        if (!Engine::ready()) {
            return;
        }
        // Answered on this page and not after a redirect: the secret must not lie anywhere in between.
        if (Input::is_post() && wp_verify_nonce(Input::text('halt_generate_nonce'), 'halt_tracker_generate')) {
            $secret = bin2hex(random_bytes(32));
            try {
                Engine::call('saveSecret', ['shared_secret', $secret]);
                Audit::credentials_changed('shared_secret');
                echo '<div class="notice notice-success inline"><p><label for="halt-new-secret"><strong>' . esc_html__('Your new secret. Copy it now: it is shown only this once.', 'halt-tracker') . '</strong></label></p>';
                echo '<p><input type="text" id="halt-new-secret" class="large-text code" readonly value="' . esc_attr($secret) . '"></p></div>';
            } catch (EngineException $fault) {
                Page::explain($fault->ht_code);
            }
        }
        echo '<form method="post" action="' . esc_url(Menu::url(Menu::SETTINGS, ['tab' => 'webhook'])) . '">';
        wp_nonce_field('halt_tracker_generate', 'halt_generate_nonce', false);
        echo '<p><button type="submit" class="button">' . esc_html__('Generate a secret', 'halt-tracker') . '</button></p></form>';
    }

    /** @param array<string,mixed>|null $status */
    private static function secrets(?array $status): void
    {
        $mine = array_filter($status['secrets'] ?? [], static fn (array $one): bool => $one['name'] === 'shared_secret' && !empty($one['set']));
        if (Input::is_post() && Engine::ready()) {
            // One may have been added a moment ago on this very page.
            $mine = array_filter(Engine::try_status()[0]['secrets'] ?? [], static fn (array $one): bool => $one['name'] === 'shared_secret' && !empty($one['set']));
        }
        if ($mine === []) {
            return;
        }
        $heads = [__('Ends in', 'halt-tracker'), __('Saved', 'halt-tracker'), __('Last used', 'halt-tracker'), __('Strength', 'halt-tracker'), __('Action', 'halt-tracker')];
        echo '<h3>' . esc_html__('Active secrets', 'halt-tracker') . '</h3><div class="halt-narrow">';
        Page::table(...$heads);
        foreach ($mine as $one) {
            echo '<tr>';
            Page::cell($heads[0], '<code>' . esc_html('…' . ($one['last4'] ?? '')) . '</code>');
            Page::cell($heads[1], Page::moment($one['saved_at'] ?? null));
            Page::cell($heads[2], esc_html(Page::ago($one['used_at'] ?? null)));
            Page::cell($heads[3], esc_html(empty($one['weak']) ? __('good', 'halt-tracker') : __('weak, please replace it', 'halt-tracker')));
            echo '<td data-label="' . esc_attr($heads[4]) . '"><div>';
            ($one['source'] ?? '') === 'constant'
                ? print '<code>HALT_TRACKER_SHARED_SECRET</code>'
                : Page::button('retire_secret', __('Retire', 'halt-tracker'), ['id' => (string) $one['id']], 'button', __('Retire this secret? Senders that still use it are refused at once. This cannot be undone.', 'halt-tracker'));
            echo '</div></td></tr>';
        }
        echo '</tbody></table></div>';
    }

    private static function examples(): void
    {
        $url  = self::address();
        $body = '{"form_id":"careers-form","fields":{"first_name":"Jane","last_name":"Doe","email":"jane@example.com"}}';
        $curl = "SECRET='…'\nBODY='$body'\nTIME=\$(date +%s)\nSIGN=\$(printf '%s.%s' \"\$TIME\" \"\$BODY\" | openssl dgst -sha256 -hmac \"\$SECRET\" | sed 's/^.* //')\ncurl -X POST '$url' -H 'Content-Type: application/json' \\\n  -H \"X-Halt-Timestamp: \$TIME\" -H \"X-Halt-Webhook-Signature: \$SIGN\" \\\n  --data-binary \"\$BODY\"";
        $php  = "\$secret = '…';\n\$body = '$body';\n\$time = (string) time();\n\$sign = hash_hmac('sha256', \$time . '.' . \$body, \$secret);\n\$curl = curl_init('$url');\ncurl_setopt_array(\$curl, [\n    CURLOPT_POSTFIELDS => \$body,\n    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'X-Halt-Timestamp: ' . \$time, 'X-Halt-Webhook-Signature: ' . \$sign],\n]);\necho curl_exec(\$curl);";
        $node = "const crypto = require('node:crypto');\nconst secret = '…';\nconst body = '$body';\nconst time = Math.floor(Date.now() / 1000).toString();\nconst sign = crypto.createHmac('sha256', secret).update(time + '.' + body).digest('hex');\nfetch('$url', {\n  method: 'POST', body,\n  headers: { 'Content-Type': 'application/json', 'X-Halt-Timestamp': time, 'X-Halt-Webhook-Signature': sign },\n}).then(async (answer) => console.log(answer.status, await answer.text()));";
        echo '<h2>' . esc_html__('How to sign', 'halt-tracker') . '</h2><p>' . esc_html__('The signature is the HMAC-SHA256 of timestamp, a dot and the raw body, as 64 lower-case hex digits. Sign the very bytes that you send, and sign each attempt anew.', 'halt-tracker') . '</p>';
        foreach (['curl' => $curl, 'PHP' => $php, 'Node' => $node] as $name => $code) {
            echo '<details class="halt-details"><summary>' . esc_html($name) . '</summary><pre class="halt-code-block" tabindex="0"><code>' . esc_html($code) . '</code></pre></details>';
        }
    }

    /** @param list<array<string,mixed>> $refusals */
    private static function refusals(array $refusals): void
    {
        echo '<h2>' . esc_html__('The last refused requests', 'halt-tracker') . '</h2>';
        if ($refusals === []) {
            echo '<p>' . esc_html__('None.', 'halt-tracker') . '</p>';
            return;
        }
        $heads = [__('When', 'halt-tracker'), __('From', 'halt-tracker'), __('Why', 'halt-tracker')];
        echo '<div class="halt-narrow">';
        Page::table(...$heads);
        foreach ($refusals as $refusal) {
            $code = (string) ($refusal['code'] ?? '');
            echo '<tr>';
            Page::cell($heads[0], Page::moment($refusal['at'] ?? null));
            Page::cell($heads[1], esc_html((string) ($refusal['address'] ?? '')));
            Page::cell($heads[2], '<strong>' . esc_html(Messages::title($code)) . '</strong><br>' . esc_html(Messages::of($code)['next']));
            echo '</tr>';
        }
        echo '</tbody></table></div>';
    }
}
