<?php
/**
 * Uses the extension from plain PHP, without WordPress, so that what the binding promises is seen from the caller's side.
 * Prints `ok`, `FAILED` or `skipped` and a sentence for each promise; run it with the extension loaded: php -n -d extension=… engine.php
 */

declare(strict_types=1);

use Halt\Tracker\Engine;
use Halt\Tracker\Exception as TrackerException;

$base = sys_get_temp_dir() . '/halt-tracker-php-' . getmypid() . '-' . bin2hex(random_bytes(4));
mkdir($base, 0700);
$owner = getmypid();
register_shutdown_function(static function () use ($base, $owner): void {
    if (getmypid() !== $owner) {
        return; // a child must not clean up after its parent
    }
    $inside = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($base, FilesystemIterator::SKIP_DOTS), RecursiveIteratorIterator::CHILD_FIRST);
    foreach ($inside as $path) {
        $path->isDir() ? rmdir((string) $path) : unlink((string) $path);
    }
    rmdir($base);
});
$failed = 0;

function check(string $sentence, bool $holds, mixed $seen = null): void
{
    global $failed;
    $failed += $holds ? 0 : 1;
    echo $holds ? 'ok ' : 'FAILED ', $sentence, $holds || $seen === null ? '' : ' - seen: ' . json_encode($seen), "\n";
}

/** The code that a call throws, or 0; anything but our own exception counts as -1. */
function thrown(callable $call): int
{
    try {
        $call();
        return 0;
    } catch (TrackerException $fault) {
        return $fault->getCode();
    } catch (Throwable) {
        return -1;
    }
}

/** A site of its own: folder, identity, settings, in the order in which every store call takes them. */
function site(string $name, array $settings = [], ?string $folder = null): array
{
    global $base;
    $folder ??= $name;
    foreach ([$folder, "$folder-key"] as $one) {
        is_dir("$base/$one") || mkdir("$base/$one", 0700);
    }
    $identity = ['install_id' => md5($name), 'home' => "https://$name.example", 'epoch' => '', 'counter' => 0, 'environment' => 'production'];
    $settings += ['key_file' => "$base/$folder-key/key.php", 'paused' => false, 'constants' => new stdClass(), 'open_basedir' => ''];
    return ["$base/$folder", json_encode($identity), json_encode($settings)];
}

/** Saves what the answer asks to be remembered, as the plugin does with its options. */
function remember(array &$site, array $answer): array
{
    if (isset($answer['site'])) {
        $site[1] = json_encode(array_merge(json_decode($site[1], true), $answer['site']));
    }
    return $answer;
}

function call(array &$site, string $method, mixed ...$arguments): array
{
    return remember($site, json_decode(Engine::$method(...$site, ...$arguments), true, 64, JSON_THROW_ON_ERROR));
}

function submission(string $email, ?string $id = null): string
{
    $id ??= vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(substr_replace(substr_replace(bin2hex(random_bytes(16)), '4', 12, 1), '8', 16, 1), 4));
    return json_encode([
        'id' => $id, 'received_at' => (int) (microtime(true) * 1000), 'timestamp' => date('c'),
        'fields' => ['name' => 'Ada Lovelace', 'email' => $email, 'message' => 'Grüße'], 'labels' => ['name' => 'Name'],
        'info' => ['contact_form_id' => 0, 'contact_form_unique_id' => '11111111-2222-4333-8444-555555555555', 'contact_form_number' => 0, 'module_slug' => 'et_pb_contact_form', 'post_id' => 7],
        'css_id' => 'apply', 'title' => 'Apply', 'meta' => ['page_url' => 'https://one.example/apply'], 'token' => bin2hex(random_bytes(5)), 'files' => [],
    ]);
}

function request(string $body, string $secret, array $changes = []): string
{
    $stamp = (string) time();
    return json_encode($changes + [
        'method' => 'POST', 'content_type' => 'application/json', 'content_encoding' => '', 'content_length' => (string) strlen($body),
        'timestamp' => $stamp, 'signature' => hash_hmac('sha256', "$stamp.$body", $secret), 'address' => '192.0.2.7', 'now' => null,
    ]);
}

if (!extension_loaded('halt_tracker')) {
    check('the extension is loaded', false);
    exit(1);
}

// What it says about itself.
$version = json_decode(Engine::version(), true);
check('the version names interface 1.0', ($version['api'] ?? '') === '1.0', $version);
check('the version names SQLite, the architecture and the C library', !in_array('', [$version['sqlite'] ?? '', $version['arch'] ?? '', $version['libc'] ?? ''], true), $version);
check('the version says truly whether this PHP is thread safe', ($version['zts'] ?? null) === (bool) PHP_ZTS, $version);
check('no function, constant or ini setting is added beside the two classes', (new ReflectionExtension('halt_tracker'))->getFunctions() === [] && (new ReflectionExtension('halt_tracker'))->getINIEntries() === [] && count((new ReflectionExtension('halt_tracker'))->getClassNames()) === 2);

// A form goes in and is found again.
$one  = site('one');
$sent = submission('ada@example.org');
$id   = json_decode($sent)->id;
$got  = call($one, 'accept', $sent);
check('a form is accepted and queued under the id that the caller made', ($got['id'] ?? '') === $id && ($got['state'] ?? '') === 'queued' && ($got['duplicate'] ?? null) === false, $got);
check('the first answer asks for epoch and counter to be saved', ($got['site']['epoch'] ?? '') !== '' && is_int($got['site']['counter'] ?? null), $got);
check('the same form again is the same submission', (call($one, 'accept', $sent)['duplicate'] ?? null) === true);
$list = call($one, 'list', '{}');
check('the list holds it once', ($list['total'] ?? 0) === 1 && ($list['items'][0]['id'] ?? '') === $id, $list);
check('the list shows no whole e-mail address', !str_contains(json_encode($list), 'ada@example.org'), $list);
$item = call($one, 'get', $id);
check('the submission has its fields as they were typed', ($item['fields']['email'] ?? '') === 'ada@example.org' && ($item['fields']['message'] ?? '') === 'Grüße', $item);
$status = call($one, 'status');
check('the status counts it as waiting', ($status['counts']['queued'] ?? 0) === 1, $status['counts'] ?? null);
$plain = '';
foreach (glob("$one[0]/*") as $path) {
    $plain .= is_file($path) ? file_get_contents($path) : '';
}
check('neither e-mail nor name stands readable in the store', $plain !== '' && !str_contains($plain, 'ada@example.org') && !str_contains($plain, 'Lovelace'));
check('the key file is for its owner alone', (fileperms("$base/one-key/key.php") & 0777) === 0600);

// Failures.
check('a submission that is no JSON throws our exception with code 1005', thrown(static fn () => Engine::accept(...$one, ...['{'])) === 1005);
check('site data that is no JSON throws code 1005', thrown(static fn () => Engine::status($one[0], 'x', $one[2])) === 1005);
check('a relative data directory throws code 1005', thrown(static fn () => Engine::status('data', $one[1], $one[2])) === 1005);
check('a setting with a value that is not allowed throws code 1406', thrown(static fn () => Engine::status($one[0], $one[1], '{"pace":"0"}')) === 1406);
check('an unknown submission throws code 1901', thrown(static fn () => Engine::get(...$one, ...['00000000-0000-4000-8000-000000000000'])) === 1901);
check('a number in place of text is refused by PHP itself', thrown(static fn () => Engine::check(5)) === -1);
check('the exception is an ordinary one', is_subclass_of(TrackerException::class, \Exception::class));
try {
    Engine::accept(...$one, ...['{"id":"not a uuid","received_at":1,"fields":{"email":"eve@example.org"}}']);
    check('a message names the code and no value', false, 'nothing was thrown');
} catch (TrackerException $fault) {
    check('a message names the code and no value', str_starts_with($fault->getMessage(), 'HT-1005') && !str_contains($fault->getMessage(), 'eve@'), $fault->getMessage());
}
check('zero bytes in the submission do no harm', thrown(static fn () => Engine::accept(...$one, ...["\0\0\0"])) === 1005);
check('settings are checked without a store', (json_decode(Engine::check('{"environment":"mars"}'), true)['errors'][0]['setting'] ?? '') === 'environment');

// The webhook.
$hook   = site('hook');
$secret = 'b0wC3QfJmT9xLr7KpZ2dHs6VnYg4EuA8';
$body   = '{"form_id":"careers","fields":{"email":"jane@example.com","name":"Jane Doe"}}';
$answer = call($hook, 'ingest', request($body, $secret), $body);
check('without a secret the webhook answers 503 and when to come back', $answer['status'] === 503 && isset($answer['headers']['Retry-After']) && $answer['body']['data']['error'] === 'HT-1202', $answer);
check('a weak shared secret is refused with code 1408', thrown(static fn () => Engine::saveSecret(...$hook, ...['shared_secret', 'changeme'])) === 1408);
check('a secret is saved and only its end comes back', ($saved = call($hook, 'saveSecret', 'shared_secret', $secret))['set'] === true && !str_contains(json_encode($saved), $secret), $saved);
$answer = call($hook, 'ingest', request($body, 'another secret'), $body);
check('a wrong signature is answered 401, without the true reason', $answer['status'] === 401 && $answer['id'] === null && $answer['body']['data']['error'] === 'HT-1201', $answer);
check('a request that is six minutes old is answered 401', call($hook, 'ingest', request($body, $secret, ['timestamp' => (string) (time() - 360), 'signature' => hash_hmac('sha256', (time() - 360) . ".$body", $secret)]), $body)['status'] === 401);
check('GET is answered 405', call($hook, 'ingest', request($body, $secret, ['method' => 'GET']), $body)['status'] === 405);
check('form data is answered 415', call($hook, 'ingest', request($body, $secret, ['content_type' => 'application/x-www-form-urlencoded']), $body)['status'] === 415);
$signed = request($body, $secret);
$first  = call($hook, 'ingest', $signed, $body);
check('the right signature is answered 202 with an id', $first['status'] === 202 && is_string($first['id']) && $first['body']['queue_id'] === $first['id'], $first);
check('the same request again gets the same id', call($hook, 'ingest', $signed, $body)['id'] === $first['id']);
sleep(1);
check('the same body signed anew gets the same id', call($hook, 'ingest', request($body, $secret), $body)['id'] === $first['id']);
check('one submission was stored', call($hook, 'list', '{}')['total'] === 1);
$answer = call($hook, 'ingest', request('{"form_id":', $secret), '{"form_id":');
check('signed JSON with a mistake is answered 400', $answer['status'] === 400 && $answer['body']['data']['error'] === 'HT-1212', $answer);
$answer = call($hook, 'ingest', request('{', 'another secret'), '{');
check('unsigned JSON with a mistake is answered 401, not 400', $answer['status'] === 401, $answer);
$pdf    = "%PDF-1.4\n" . random_bytes(5000) . "\n%%EOF";
$body   = json_encode(['form_id' => 'careers', 'fields' => ['email' => 'cv@example.com'], 'files' => [['field' => 'cv', 'name' => 'cv.pdf', 'mime' => 'application/pdf', 'content' => base64_encode($pdf), 'encoding' => 'base64']]]);
$answer = call($hook, 'ingest', request($body, $secret), $body);
check('a file comes back byte for byte', is_string($answer['id']) && Engine::file(...$hook, ...[$answer['id'], 1]) === $pdf, $answer);
check('the file is sealed in the store', count($files = glob("$hook[0]/files/*")) === 1 && !str_contains((string) file_get_contents($files[0]), substr($pdf, 100, 64)), $files);
check('ingest answers and does not throw when it is called wrongly', json_decode(Engine::ingest('data', '', '', '', ''), true)['status'] === 503);

// Whose store it is.
$two = site('two');
call($two, 'accept', submission('bob@example.org'));
check('two data directories in one process never mix', call($two, 'list', '{}')['total'] === 1 && call($one, 'list', '{}')['total'] === 1 && thrown(static fn () => Engine::get(...$two, ...[$id])) === 1901);
$thief = site('thief', [], 'one');
check('the store of another site is refused with code 1105', thrown(static fn () => Engine::status(...$thief)) === 1105);
check('a form is not put into the store of another site', thrown(static fn () => Engine::accept(...$thief, ...[submission('eve@example.org')])) === 1105 && call($one, 'list', '{}')['total'] === 1);
$fence = site('one', ['open_basedir' => "$base/two"]);
$fence[1] = $one[1];
check('open_basedir is heeded with code 1110', thrown(static fn () => Engine::status(...$fence)) === 1110);

// Processes.
if (function_exists('pcntl_fork')) {
    $child = pcntl_fork();
    if ($child === 0) {
        $fine = call($one, 'list', '{}')['total'] === 1 && call($one, 'accept', submission('child@example.org'))['state'] === 'queued';
        exit($fine ? 0 : 1);
    }
    pcntl_waitpid($child, $ended);
    check('a forked child uses the store after its parent has', pcntl_wifexited($ended) && pcntl_wexitstatus($ended) === 0, $ended);
    call($one, 'accept', submission('parent@example.org'));
    check('the parent goes on with what its child has stored', call($one, 'list', '{}')['total'] === 3);
} else {
    echo "skipped a forked child uses the store: this PHP has no pcntl\n";
}

echo $failed === 0 ? '' : "$failed FAILED in all\n";
exit($failed === 0 ? 0 : 1);
