<?php
/**
 * Times the engine's accept beside an insert of the same JSON, then the delivery of what was accepted beside bare creates by
 * wp_remote_post, inside WordPress, and prints the numbers as JSON; it verifies all counts before it prints.
 */

declare(strict_types=1);

use Halt\Tracker\WordPress\Engine as Plugin;
use Halt\Tracker\WordPress\{Options, Places, Relay, Site};

$count = 1000;
$turn  = 50;
global $wpdb;
$wpdb->query('CREATE TABLE bench_peer (id CHAR(36) PRIMARY KEY, received_at BIGINT, body LONGTEXT, KEY(received_at)) ENGINE=InnoDB');

$form = static function (): array {
    $id = vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(substr_replace(substr_replace(bin2hex(random_bytes(16)), '4', 12, 1), '8', 16, 1), 4));
    return ['id' => $id, 'received_at' => (int) (microtime(true) * 1000), 'timestamp' => date('c'),
        'fields' => ['name' => 'Ada Lovelace', 'email' => substr($id, 0, 8) . '@example.org', 'message' => str_repeat('I would like to apply. ', 20)],
        'labels' => ['name' => 'Name', 'email' => 'Email Address', 'message' => 'Message'],
        'info' => ['contact_form_id' => 0, 'contact_form_unique_id' => '11111111-2222-4333-8444-555555555555', 'contact_form_number' => 0, 'module_slug' => 'et_pb_contact_form', 'post_id' => 7],
        'css_id' => 'apply', 'title' => 'Apply', 'meta' => ['page_url' => 'https://example.org/apply'], 'token' => $id, 'files' => []];
};
// The first call makes the store; it is not timed.
Plugin::call('accept', [Plugin::encode($form())]);
$around = [Places::data_dir(), Site::json(), Options::engine_json()];
$times  = ['engine' => [], 'table' => []];
$bytes  = 0;
for ($done = 0; $done < $count; $done += $turn) {
    foreach (['engine', 'table'] as $who) {
        for ($at = 0; $at < $turn; $at++) {
            $one   = $form();
            $json  = Plugin::encode($one);
            $bytes = strlen($json);
            $start = hrtime(true);
            if ($who === 'engine') {
                Halt\Tracker\Engine::accept(...$around, ...[$json]);
            } else {
                $wpdb->query($wpdb->prepare('INSERT INTO bench_peer (id, received_at, body) VALUES (%s, %d, %s)', $one['id'], $one['received_at'], $json));
            }
            $times[$who][] = hrtime(true) - $start;
        }
    }
}
$stored = Plugin::call('list', ['{}'])['total'] - 1;
$rows   = (int) $wpdb->get_var('SELECT COUNT(*) FROM bench_peer');
if ($stored !== $count || $rows !== $count) {
    throw new RuntimeException("stored $stored and $rows of $count");
}
$numbers = ['bytes' => $bytes, 'count' => $count, 'turn' => $turn];
foreach ($times as $who => $list) {
    sort($list);
    $numbers[$who] = ['per_second' => $count / (array_sum($list) / 1e9), 'median_ms' => $list[$count / 2] / 1e6, 'p99_ms' => $list[(int) ($count * 0.99)] / 1e6];
}

// The simulator is the same for both, and answers at once; neither keeps a connection.
[$sim, $token] = [HALT_TRACKER_API_URL, 'sim-api-token-0123456789'];
Options::save('api', 'rest');
Options::save('pace', '60000');
Options::save('duplicates', 'create');
Plugin::call('saveSecret', ['api_token', $token]);
$post = static function (string $path, array $body, string $jwt = '') use ($sim): array {
    $answer = wp_remote_post($sim . $path, ['body' => wp_json_encode($body), 'headers' => ['Content-Type' => 'application/json', 'Authorization' => 'Bearer ' . $jwt]]);
    return json_decode(wp_remote_retrieve_body($answer), true) ?? throw new RuntimeException('no answer from the simulator');
};
$jwt  = $post('/api/Auth/ExchangeToken', ['bearerToken' => $token])['token'];
$held = static fn (): int => count(json_decode(wp_remote_retrieve_body(wp_remote_get($sim . '/_sim/ledger', ['timeout' => 60])), true)['resources']);
$start = hrtime(true);
for ($at = 0; $at < 300; $at++) {
    $post('/api/v1/Resource', ['firstName' => 'Ada', 'surname' => 'Lovelace', 'contactDetails' => ['email' => "bare$at@example.org"], 'note' => str_repeat('I would like to apply. ', 20), 'source' => 'Website'], $jwt);
}
$bare  = 300 / ((hrtime(true) - $start) / 1e9);
$known = $held();
$spent = 0;
for ($runs = 0; $runs < 50 && ($left ?? 1) > 0; $runs++) {
    $start  = hrtime(true);
    $report = Relay::run('cli', 20000);
    $spent += hrtime(true) - $start;
    $left   = $report['left'];
}
$delivered = $held() - $known;
if ($known !== 300 || $delivered !== $count + 1) {
    throw new RuntimeException("delivered $delivered of " . ($count + 1) . ", $known by wp_remote_post");
}
$numbers['relay'] = ['per_second' => $delivered / ($spent / 1e9), 'delivered' => $delivered];
$numbers['bare']  = ['per_second' => $bare];
echo json_encode($numbers);
