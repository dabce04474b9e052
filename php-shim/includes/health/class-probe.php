<?php
/**
 * Posts a signed request of the largest allowed size to this site's own webhook, because web servers, firewalls and PHP each have
 * limits of their own, and a CV that is cut off on the way looks like a sender's mistake. Nothing of it is stored.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Health;

use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Both ends of the probe. It is signed with a key of its own that lives for two minutes. */
final class Probe
{
    private const NAME  = 'halt_tracker_probe';
    private const SMALL = 1024;

    /** @return array{0:string,1:string,2:string} */
    public static function check(): array
    {
        $mib  = max(1, (int) Options::text('body_limit_mib'));
        $full = $mib * 1024 * 1024;
        if (!self::has_memory($full)) {
            /* translators: 1: number of megabytes, 2: a value such as "128M" */
            return ['recommended', __('PHP has too little memory for the largest request', 'halt-tracker'), sprintf(__('Requests of up to %1$d MiB are allowed, but memory_limit is %2$s. Raise memory_limit to four times the size, or lower the limit under Settings, Webhook.', 'halt-tracker'), $mib, (string) ini_get('memory_limit'))];
        }
        $large = self::send($full);
        if ($large['arrived']) {
            /* translators: %d: number of megabytes */
            return ['good', __('The webhook takes requests of the full size', 'halt-tracker'), sprintf(__('A signed request of %d MiB was posted and arrived whole.', 'halt-tracker'), $mib)];
        }
        $small = self::send(self::SMALL);
        if ($small['arrived']) {
            /* translators: %d: number of megabytes */
            return ['recommended', sprintf(__('Webhook requests of %d MiB do not arrive', 'halt-tracker'), $mib), self::limit($large, $mib)];
        }
        if ($small['status'] === 0) {
            /* translators: %s: an error message */
            return ['recommended', __('This site cannot reach its own webhook', 'halt-tracker'), sprintf(__('Other senders may still reach it. The request ended with: %s', 'halt-tracker'), $small['said'])];
        }
        /* translators: %d: HTTP status such as 403 */
        return ['critical', sprintf(__('Something else answers at the webhook’s address (HTTP %d)', 'halt-tracker'), $small['status']), __('A security plugin, a firewall, a redirect or the permalink settings keep requests from the webhook. Allow POST requests to the address that Settings, Webhook shows.', 'halt-tracker')];
    }

    /**
     * The answering end: only a request that is signed with the key of a probe in progress is answered here.
     *
     * @param mixed $result
     * @param mixed $server
     * @param mixed $request
     * @return mixed
     */
    public static function rest_pre_dispatch($result, $server = null, $request = null)
    {
        if ($result !== null || !isset($_SERVER['HTTP_X_HALT_PROBE']) || !$request instanceof \WP_REST_Request || untrailingslashit($request->get_route()) !== '/halt-tracker/v1/ingest') {
            return $result;
        }
        $key  = get_transient(self::NAME);
        $sign = $_SERVER['HTTP_X_HALT_WEBHOOK_SIGNATURE'] ?? '';
        $time = $_SERVER['HTTP_X_HALT_TIMESTAMP'] ?? '';
        if (!is_string($key) || $key === '' || !is_string($sign) || !is_string($time)) {
            return $result;
        }
        $body = (string) $request->get_body();
        return hash_equals(self::sign($time, $body, $key), $sign) ? new \WP_REST_Response(['probe' => strlen($body)], 200) : $result;
    }

    /**
     * What every request to this site itself needs, as WordPress' own loopback test does it.
     *
     * @param array<string,mixed> $more
     * @return array<string,mixed>
     */
    public static function arguments(array $more): array
    {
        $headers = [];
        if (isset($_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW']) && is_string($_SERVER['PHP_AUTH_USER']) && is_string($_SERVER['PHP_AUTH_PW'])) {
            // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- passed on as it came.
            $headers['Authorization'] = 'Basic ' . base64_encode(wp_unslash($_SERVER['PHP_AUTH_USER']) . ':' . wp_unslash($_SERVER['PHP_AUTH_PW']));
        }
        $more['headers'] = ($more['headers'] ?? []) + $headers;
        // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals -- core's own filter for requests to oneself.
        return $more + ['redirection' => 0, 'sslverify' => apply_filters('https_local_ssl_verify', false)];
    }

    /** @return array{arrived:bool,status:int,said:string,server:string} */
    private static function send(int $size): array
    {
        $key  = bin2hex(random_bytes(32));
        $time = (string) time();
        $body = '{"probe":"' . str_repeat('a', $size - 12) . '"}';
        set_transient(self::NAME, $key, 120);
        $answer = wp_remote_post(rest_url('halt-tracker/v1/ingest'), self::arguments([
            'timeout' => 60,
            'body'    => $body,
            'headers' => ['Content-Type' => 'application/json', 'X-Halt-Probe' => '1', 'X-Halt-Timestamp' => $time, 'X-Halt-Webhook-Signature' => self::sign($time, $body, $key)],
        ]));
        delete_transient(self::NAME);
        if (is_wp_error($answer)) {
            return ['arrived' => false, 'status' => 0, 'said' => $answer->get_error_message(), 'server' => ''];
        }
        $said = json_decode((string) wp_remote_retrieve_body($answer), true);
        return [
            'arrived' => is_array($said) && ($said['probe'] ?? 0) === strlen($body),
            'status'  => (int) wp_remote_retrieve_response_code($answer),
            'said'    => '',
            'server'  => strtolower((string) wp_remote_retrieve_header($answer, 'server')),
        ];
    }

    /** Piece by piece, because joining would copy the whole body. */
    private static function sign(string $time, string $body, string $key): string
    {
        $hmac = hash_init('sha256', HASH_HMAC, $key);
        hash_update($hmac, $time . '.');
        hash_update($hmac, $body);
        return hash_final($hmac);
    }

    /** Which limit it was, and how to raise it. @param array{arrived:bool,status:int,said:string,server:string} $large */
    private static function limit(array $large, int $mib): string
    {
        $full = $mib * 1024 * 1024;
        $need = ($mib + 4) . 'M';
        $post = wp_convert_hr_to_bytes((string) ini_get('post_max_size'));
        $how  = match (true) {
            /* translators: 1: current value, 2: value that is needed */
            $post > 0 && $post < $full => sprintf(__('PHP’s post_max_size is %1$s; set it to %2$s.', 'halt-tracker'), (string) ini_get('post_max_size'), $need),
            /* translators: %s: value that is needed */
            $large['status'] === 413 && str_contains($large['server'], 'nginx') => sprintf(__('nginx refuses it; set client_max_body_size to %s.', 'halt-tracker'), strtolower($need)),
            /* translators: %d: number of bytes */
            in_array($large['status'], [400, 403, 406, 413], true) => sprintf(__('The web server refuses it; set LimitRequestBody (Apache), and SecRequestBodyLimit and SecRequestBodyNoFilesLimit (ModSecurity) to %d.', 'halt-tracker'), ($mib + 4) * 1024 * 1024),
            /* translators: %s: value that is needed */
            default => sprintf(__('It ended without an answer of ours; look at memory_limit, time limits and the error log, and allow bodies of %s.', 'halt-tracker'), $need),
        };
        /* translators: %d: HTTP status such as 413 */
        return sprintf(__('A small request arrives, one of the full size is answered with HTTP %d.', 'halt-tracker'), $large['status']) . ' ' . $how . ' ' . __('Or lower the limit under Settings, Webhook, so that senders get a clear answer.', 'halt-tracker');
    }

    /** This end holds the body once, and sending it takes another copy. */
    private static function has_memory(int $size): bool
    {
        wp_raise_memory_limit('admin');
        $limit = wp_convert_hr_to_bytes((string) ini_get('memory_limit'));
        return $limit <= 0 || $limit > memory_get_usage() + 3 * $size + 8 * 1024 * 1024;
    }
}
