<?php
/**
 * The REST routes for administrators: the same calls as the pages, for people who script.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** Routes below `/halt-tracker/v1`, the webhook aside. */
final class Rest
{
    private const NAMESPACE = 'halt-tracker/v1';
    private const ID        = '(?P<id>[0-9a-fA-F-]{36})';

    /** Declares the routes. */
    public static function rest_api_init(): void
    {
        $id = ['id' => ['type' => 'string', 'format' => 'uuid', 'required' => true]];
        self::route('/status', 'GET', Capabilities::VIEW, [self::class, 'status']);
        self::route('/submissions', 'GET', Capabilities::VIEW, [self::class, 'submissions'], self::query());
        self::route('/submissions/' . self::ID, 'GET', Capabilities::VIEW, [self::class, 'submission'], $id);
        self::route('/submissions/' . self::ID . '/retry', 'POST', Capabilities::VIEW, static fn (\WP_REST_Request $r) => self::act('retry', $r), $id);
        self::route('/submissions/' . self::ID . '/discard', 'POST', Capabilities::MANAGE, static fn (\WP_REST_Request $r) => self::act('discard', $r), $id);
        $budget = ['budget_ms' => ['type' => 'integer', 'minimum' => 1000, 'maximum' => 20000, 'default' => 20000]];
        self::route('/run', 'POST', Capabilities::MANAGE, static fn (\WP_REST_Request $r): array => Relay::run('button', (int) $r['budget_ms']), $budget);
        self::route('/test-connection', 'POST', Capabilities::MANAGE, static fn (): array => Engine::call('testConnection'));
    }

    /** The state of the store; senders' addresses, secrets and keys are for those who manage. @return array<string,mixed> */
    public static function status(): array
    {
        $status = Engine::call('status');
        if (!current_user_can(Capabilities::MANAGE)) {
            $status = array_diff_key($status, array_flip(['refusals', 'secrets', 'keys', 'store']));
        }
        return self::with_maps($status, ['counts']);
    }

    /** One page of submissions. @return array<string,mixed>|\WP_REST_Response */
    public static function submissions(\WP_REST_Request $request)
    {
        $query = array_intersect_key($request->get_params(), self::query());
        $page  = Engine::call('list', [Engine::encode((object) array_filter($query, static fn ($value): bool => $value !== '' && $value !== null))]);
        $total = (int) $page['total'];
        $per   = max(1, (int) ($query['per_page'] ?? 20));
        return new \WP_REST_Response($page, 200, ['X-WP-Total' => (string) $total, 'X-WP-TotalPages' => (string) (int) ceil($total / $per)]);
    }

    /** One submission with everything that is known of it. @return array<string,mixed> */
    public static function submission(\WP_REST_Request $request): array
    {
        $id = (string) $request['id'];
        Audit::viewed('rest', $id);
        return self::with_maps(Engine::call('get', [$id]), ['fields', 'meta', 'labels']);
    }

    /**
     * An empty map is an object in JSON, as a full one is.
     *
     * @param array<string,mixed> $answer
     * @param list<string>        $names
     * @return array<string,mixed>
     */
    private static function with_maps(array $answer, array $names): array
    {
        foreach ($names as $name) {
            if (($answer[$name] ?? null) === []) {
                $answer[$name] = new \stdClass();
            }
        }
        return $answer;
    }

    /** @return array<string,mixed>|\WP_Error */
    private static function act(string $action, \WP_REST_Request $request)
    {
        $answer  = Engine::act(['action' => $action, 'ids' => [(string) $request['id']]]);
        $refused = $answer['refused'][0] ?? null;
        return $refused ? self::error(new EngineException((string) $refused['code'])) : $answer;
    }

    /**
     * @param array<string,mixed> $args
     */
    private static function route(string $path, string $method, string $capability, callable $answer, array $args = []): void
    {
        register_rest_route(self::NAMESPACE, $path, [
            'methods'             => $method,
            'permission_callback' => static fn (): bool => current_user_can($capability),
            'args'                => $args,
            'callback'            => static function (\WP_REST_Request $request) use ($answer) {
                try {
                    return rest_ensure_response($answer($request));
                } catch (EngineException $fault) {
                    return self::error($fault);
                }
            },
        ]);
    }

    /** The error in WordPress' shape with our code in it. */
    private static function error(EngineException $fault): \WP_Error
    {
        $status = match (true) {
            in_array($fault->ht_code, ['HT-1901', 'HT-1708', 'HT-1115'], true) => 404,
            in_array($fault->ht_code, ['HT-1902', 'HT-1607'], true)            => 409,
            $fault->ht_code === 'HT-1005', $fault->ht_code === 'HT-1903'      => 400,
            default                                                           => 503,
        };
        return new \WP_Error('halt_tracker_' . $status, $fault->sentence(), ['status' => $status, 'error' => $fault->ht_code]);
    }

    /** @return array<string,array<string,mixed>> */
    private static function query(): array
    {
        return [
            'search'    => ['type' => 'string', 'maxLength' => 200],
            'state'     => ['type' => 'string', 'enum' => array_merge([''], array_keys(Messages::states()))],
            'form'      => ['type' => 'string', 'maxLength' => 200],
            'from'      => ['type' => 'integer', 'minimum' => 0],
            'to'        => ['type' => 'integer', 'minimum' => 0],
            'sort'      => ['type' => 'string', 'enum' => ['received_at', 'updated_at', 'state', 'form'], 'default' => 'received_at'],
            'direction' => ['type' => 'string', 'enum' => ['asc', 'desc'], 'default' => 'desc'],
            'page'      => ['type' => 'integer', 'minimum' => 1, 'default' => 1],
            'per_page'  => ['type' => 'integer', 'minimum' => 1, 'maximum' => 100, 'default' => 20],
        ];
    }
}
