<?php
/**
 * Passes webhook requests to the engine as raw bytes, before WordPress parses them; it judges nothing of them itself.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The route `/halt-tracker/v1/ingest`. */
final class Webhook
{
    public const ROUTE = '/halt-tracker/v1/ingest';

    /** Lists the route in the index; requests are answered before WordPress would get here. */
    public static function rest_api_init(): void
    {
        register_rest_route('halt-tracker/v1', '/ingest', [
            'methods'             => 'POST',
            'callback'            => [self::class, 'answer'],
            // The signature is the permission, and the engine checks it.
            'permission_callback' => '__return_true',
        ]);
    }

    /**
     * Answers instead of WordPress' own dispatch.
     *
     * @param mixed $result
     * @param mixed $server
     * @param mixed $request
     * @return mixed
     */
    public static function rest_pre_dispatch($result, $server = null, $request = null)
    {
        if ($result !== null || !$request instanceof \WP_REST_Request || untrailingslashit($request->get_route()) !== self::ROUTE) {
            return $result;
        }
        return self::answer($request);
    }

    /** One request, one answer of the engine. */
    public static function answer(\WP_REST_Request $request): \WP_REST_Response
    {
        try {
            $answer = json_decode(Calm::work(static fn (): string => Engine::raw('ingest', [Engine::encode(self::head()), (string) $request->get_body()])), false, 64, JSON_THROW_ON_ERROR);
            self::keep($answer);
            self::log($answer);
            return new \WP_REST_Response($answer->body ?? null, (int) $answer->status, (array) ($answer->headers ?? []));
        } catch (\Throwable $fault) {
            return self::unavailable();
        }
    }

    /** The address that the list of refused requests shows. */
    public static function address(): string
    {
        $address = self::header('REMOTE_ADDR');
        $trusted = array_filter(array_map('trim', explode("\n", Options::text('trusted_proxies'))));
        if ($trusted === [] || !self::is_in($address, $trusted)) {
            return $address;
        }
        // From the right: each proxy has added the address that it saw; the first that is no proxy of ours is the sender.
        foreach (array_reverse(array_map('trim', explode(',', self::header('HTTP_X_FORWARDED_FOR')))) as $hop) {
            if (filter_var($hop, FILTER_VALIDATE_IP) === false) {
                break;
            }
            $address = $hop;
            if (!self::is_in($hop, $trusted)) {
                break;
            }
        }
        return $address;
    }

    /** @return array<string,mixed> What the engine checks before the body. */
    private static function head(): array
    {
        return [
            'method'           => self::header('REQUEST_METHOD'),
            'content_type'     => self::header('CONTENT_TYPE') !== '' ? self::header('CONTENT_TYPE') : self::header('HTTP_CONTENT_TYPE'),
            'content_encoding' => self::header('HTTP_CONTENT_ENCODING'),
            'content_length'   => self::header('CONTENT_LENGTH') !== '' ? self::header('CONTENT_LENGTH') : self::header('HTTP_CONTENT_LENGTH'),
            'timestamp'        => self::header('HTTP_X_HALT_TIMESTAMP'),
            'signature'        => self::header('HTTP_X_HALT_WEBHOOK_SIGNATURE'),
            'address'          => self::address(),
            'now'              => null,
        ];
    }

    /** A header exactly as PHP received it: WordPress adds slashes to the whole of $_SERVER. */
    private static function header(string $name): string
    {
        // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- raw bytes are the point; the engine refuses all but the exact form.
        $value = $_SERVER[$name] ?? '';
        return is_scalar($value) ? (string) wp_unslash((string) $value) : '';
    }

    private static function keep(object $answer): void
    {
        try {
            if (isset($answer->site->epoch, $answer->site->counter)) {
                Site::remember((string) $answer->site->epoch, (int) $answer->site->counter);
            }
        } catch (\Throwable $fault) {
            // The request is committed: the sender gets its answer, and the engine asks again next time.
            unset($fault);
        }
        if (!empty($answer->relay)) {
            Relay::after_the_answer();
        }
        if ((int) $answer->status === 202) {
            Relay::after_a_capture();
        }
        if (!empty($answer->id) && (int) $answer->status === 202) {
            Relay::fire('halt_tracker_submission_accepted', (string) $answer->id, ['id' => (string) $answer->id, 'source' => 'webhook']);
        }
    }

    /** The engine's one line about a refused request, where tools such as fail2ban look for it. */
    private static function log(object $answer): void
    {
        if (is_string($answer->log ?? null) && $answer->log !== '') {
            // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- a code and an address, nothing of body or signature.
            error_log($answer->log);
        }
    }

    private static function unavailable(): \WP_REST_Response
    {
        $body = [
            'code'    => 'halt_tracker_503',
            'message' => Messages::of('HT-1215')['what'],
            'data'    => ['status' => 503, 'error' => 'HT-1215'],
        ];
        return new \WP_REST_Response($body, 503, ['Retry-After' => '120']);
    }

    /** @param array<string> $networks Addresses or networks such as 10.0.0.0/8. */
    private static function is_in(string $address, array $networks): bool
    {
        $bytes = @inet_pton($address);
        foreach ($networks as $network) {
            [$base, $bits] = array_pad(explode('/', $network, 2), 2, '');
            $start = @inet_pton($base);
            if ($bytes === false || $start === false || strlen($start) !== strlen($bytes)) {
                continue;
            }
            $length = $bits === '' || !ctype_digit($bits) ? strlen($bytes) * 8 : min((int) $bits, strlen($bytes) * 8);
            $whole  = intdiv($length, 8);
            $mask   = chr((0xff << (8 - $length % 8)) & 0xff);
            $rest   = $length % 8 === 0 || (($bytes[$whole] & $mask) === ($start[$whole] & $mask));
            if (substr($bytes, 0, $whole) === substr($start, 0, $whole) && $rest) {
                return true;
            }
        }
        return false;
    }
}
