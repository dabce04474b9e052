<?php
/**
 * Calls the extension a million times and reads the resident size of this process on the way: an extension that loses a
 * hundred bytes a call would show here, in a worker that lives for weeks. A million calls are reads and refusals; a second, shorter
 * part takes in, runs while sending is paused, saves secrets, hands out files and erases, and prints its mix.
 */

declare(strict_types=1);

use Halt\Tracker\Engine;

$calls = (int) (getenv('CALLS') ?: 1000000);
$base  = (is_writable('/dev/shm') ? '/dev/shm' : sys_get_temp_dir()) . '/halt-tracker-resident-' . getmypid();
mkdir($base, 0700);
register_shutdown_function(static function () use ($base): void {
    $inside = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($base, FilesystemIterator::SKIP_DOTS), RecursiveIteratorIterator::CHILD_FIRST);
    foreach ($inside as $path) {
        $path->isDir() ? rmdir((string) $path) : unlink((string) $path);
    }
    rmdir($base);
});

$site = ["$base/store", json_encode(['install_id' => str_repeat('a', 32), 'home' => 'https://example.org', 'epoch' => '']), json_encode(['key_file' => "$base/key/key.php"])];
$secret = 'Zq8vX3kLr5Tn9Wb2Yh6Jc4Mg7Pd1Sf0Ae';
$saved  = json_decode(Engine::saveSecret(...$site, ...['shared_secret', $secret]), true);
$site[1] = json_encode(['install_id' => str_repeat('a', 32), 'home' => 'https://example.org', 'epoch' => $saved['site']['epoch'] ?? '']);
$body  = json_encode(['form_id' => 'careers', 'fields' => ['name' => 'Ada Lovelace', 'email' => 'ada@example.org']]);
$stamp = (string) time();
$right = json_encode(['method' => 'POST', 'content_type' => 'application/json', 'timestamp' => $stamp, 'signature' => hash_hmac('sha256', "$stamp.$body", $secret)]);
$id    = json_decode(Engine::ingest(...$site, ...[$right, $body]), true)['id'];
$map   = json_encode(['field_map' => '{"email":"email","source":":Website"}', 'record_type' => 'Lead']);

/** What is called, and how often in a thousand calls. */
$kinds = [
    [600, static fn () => Engine::version()],
    [200, static fn () => Engine::check($map)],
    [60, static fn () => Engine::list(...$site, ...['{"search":"ada@example.org"}'])],
    [60, static fn () => Engine::get(...$site, ...[$id])],
    [30, static fn () => Engine::preview(...$site, ...[json_encode(['id' => $id])])],
    [20, static fn () => Engine::status(...$site)],
    // Refused calls and refused requests, which are the ones that a stranger can repeat.
    [28, static function () use ($site): void {
        try {
            Engine::get(...$site, ...['no such id']);
        } catch (Halt\Tracker\Exception) {
        }
    }],
    [2, static fn () => Engine::ingest(...$site, ...[json_encode(['method' => 'POST', 'content_type' => 'application/json', 'timestamp' => '1', 'signature' => 'x']), $body])],
];

/** Resident KiB. */
$resident = static fn (): int => (int) (explode(' ', (string) file_get_contents('/proc/self/statm'))[1]) * 4;

$done = 0;
$seen = [];
while ($done < $calls) {
    foreach ($kinds as [$times, $call]) {
        for ($at = 0; $at < $times; $at++) {
            $call();
        }
        $done += $times;
    }
    // The first tenth fills caches of SQLite and of the allocator.
    if ($done % max(1000, intdiv($calls, 10)) === 0) {
        $seen[] = $resident();
    }
}
$rise = end($seen) - $seen[0];
printf("campaign resident size: real PHP: %d calls, KiB after each tenth: %s; from the first to the last tenth %+d KiB\n", $done, implode(' ', $seen), $rise);
$flat = $rise <= 1024 && count($seen) >= 5;

// Sending stands still: a run looks, finds that it is paused and tidies, as cron's do on most ticks.
Engine::act(...$site, ...['{"action":"pause"}']);
$sign = static fn (string $body, string $stamp): string => (string) json_encode(['method' => 'POST', 'content_type' => 'application/json', 'timestamp' => $stamp, 'signature' => hash_hmac('sha256', "$stamp.$body", $secret)]);
$made = [];
$kept = ['form_id' => 'careers', 'fields' => ['name' => 'Ada', 'email' => 'kept@example.org'], 'files' => [['field' => 'cv', 'name' => 'cv.txt', 'content' => base64_encode(str_repeat('line ', 2000)), 'encoding' => 'base64']]];
$stamp = (string) time();
$with_file = json_decode(Engine::ingest(...$site, ...[$sign((string) json_encode($kept), $stamp), (string) json_encode($kept)]), true)['id'];
$number = 0;
$uuid = static fn (int $n): string => sprintf('00000000-0000-4000-8000-%012d', $n);

/** What is called, and how often in a thousand calls. */
$kinds = [
    'file' => [100, static fn () => strlen(Engine::file(...$site, ...[$with_file, 1])) === 10000 || throw new RuntimeException('another file')],
    'ingest, accepted' => [100, static function () use ($site, $sign, &$number, &$made): void {
        $text = (string) json_encode(['form_id' => 'careers', 'fields' => ['name' => 'Ada', 'email' => 'p' . ++$number . '@example.org']]);
        $said = json_decode(Engine::ingest(...$site, ...[$sign($text, (string) time()), $text]), true);
        $said['status'] === 202 || throw new RuntimeException('not taken: ' . json_encode($said));
        $made[] = $said['id'];
    }],
    'accept' => [100, static function () use ($site, $uuid, &$number, &$made): void {
        $form = ['id' => $uuid(++$number), 'received_at' => time() * 1000, 'fields' => ['name' => 'Ada', 'email' => "p$number@example.org"], 'token' => "t$number"];
        $said = json_decode(Engine::accept(...$site, ...[(string) json_encode($form)]), true);
        $said['state'] === 'queued' || throw new RuntimeException('not taken: ' . json_encode($said));
        $made[] = $said['id'];
    }],
    'get' => [200, static fn () => Engine::get(...$site, ...[$id])],
    'status' => [100, static fn () => Engine::status(...$site)],
    'saveSecret' => [100, static fn () => Engine::saveSecret(...$site, ...['api_token', 'a token of some length ' . ++$number])],
    'run, idle' => [100, static function () use ($site): void {
        $said = json_decode(Engine::run(...$site, ...['{"caller":"cron","budget_ms":1000}']), true);
        $said['outcome'] === 'paused' || throw new RuntimeException('it ran: ' . json_encode($said));
    }],
    'act, erase' => [200, static function () use ($site, &$made): void {
        $one = array_shift($made);
        Engine::act(...$site, ...[(string) json_encode(['action' => 'erase', 'ids' => [$one]])]);
    }],
];
array_sum(array_column($kinds, 0)) === 1000 || exit('the mix is not a thousand');
$mix   = implode(', ', array_map(static fn (string $name): string => "$name {$kinds[$name][0]}", array_keys($kinds)));
$calls = (int) (getenv('WRITING_CALLS') ?: 40000);
$seen  = [];
for ($done = 0; $done < $calls; $done += 1000) {
    foreach ($kinds as [$times, $call]) {
        for ($at = 0; $at < $times; $at++) {
            $call();
        }
    }
    if ($done % max(1000, intdiv($calls, 10)) === 0) {
        $seen[] = $resident();
    }
}
$rise = end($seen) - $seen[0];
printf("campaign resident size, writing: real PHP: %d calls, of each thousand: %s; KiB after each tenth: %s; from the first to the last %+d KiB\n", $done, $mix, implode(' ', $seen), $rise);
// SQLite's own cache of pages fills with the rows that erased submissions leave: 2 MiB, and no more. Then it is flat too.
$late = end($seen) - $seen[intdiv(count($seen), 2)];
exit($flat && count($seen) >= 5 && $rise <= 2048 + 1024 && $late <= 1024 ? 0 : 1);
