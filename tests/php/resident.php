<?php
/**
 * Calls the extension a million times and reads the resident size of this process on the way: an extension that loses a
 * hundred bytes a call would show here, in a worker that lives for weeks. Every method that can be called so often is.
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
exit($rise > 1024 || count($seen) < 5 ? 1 : 0);
