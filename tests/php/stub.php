<?php
/**
 * Prints stubs of the extension for editors and static analysis: the signatures come from the loaded extension, the words from the table below.
 * A method without words, or words without a method, ends it with an error, so that the two cannot drift apart.
 */

declare(strict_types=1);

const STORE = [
    'dir'      => 'Absolute path of the data directory.',
    'site'     => 'JSON: which site calls (install_id, home, epoch, counter, environment).',
    'settings' => 'JSON: what was saved, and what the engine has to know about the server.',
];

/** Method => what it does, its further parameters, what it returns, whether it throws. */
const WORDS = [
    'accept'         => ['Accepts a form. When it throws, nothing was stored and the caller keeps the form itself.', STORE + ['submission' => 'JSON: the form as the visitor sent it.'], 'JSON: id, state, duplicate, relay; site when options have to be saved.', true],
    'act'            => ['Does what a person asks for: retry, discard, spam, release, erase, pause, resume and more.', STORE + ['action' => 'JSON: action, ids and what else the action takes.'], 'JSON: changed and refused ids.', true],
    'adopt'          => ['Takes over a form that was kept in the site\'s own database while the engine was away.', STORE + ['row' => 'JSON: id, hash and key id of the row.', 'sealed' => 'The sealed bytes as they were kept.'], 'JSON: id, complete, duplicate, state.', true],
    'check'          => ['Checks settings before they are saved; touches no store.', ['settings' => 'JSON: settings by name without prefix.'], 'JSON: errors and warnings.', true],
    'file'           => ['The raw bytes of a stored file.', STORE + ['id' => 'The submission.', 'ordinal' => 'The file\'s place in it, from 1.'], 'The bytes.', true],
    'get'            => ['Everything about one submission.', STORE + ['id' => 'The submission.'], 'JSON.', true],
    'ingest'         => ['Answers a webhook request. It never throws: what goes wrong is an answer too.', STORE + ['request' => 'JSON: method and the headers that count, absent ones empty.', 'body' => 'The raw body.'], 'JSON: status, headers, body, id, relay; site when options have to be saved.', false],
    'list'           => ['One page of submissions.', STORE + ['query' => 'JSON: search, state, form, from, to, sort, direction, page, per_page.'], 'JSON: total and items; person and e-mail are masked.', true],
    'preview'        => ['What would be sent for a submission; nothing is sent.', STORE + ['query' => 'JSON: id of a submission, key of a form, or test with a form.'], 'JSON: api, record type, steps, errors, unused fields.', true],
    'run'            => ['Delivers what is due, within a time budget.', STORE + ['options' => 'JSON: caller and budget_ms.'], 'JSON: outcome, items, left, events and when to come back.', true],
    'saveSecret'     => ['Saves a secret in the vault; it is never given back.', STORE + ['name' => 'client_secret, refresh_token, api_token or shared_secret.', 'value' => 'The secret.'], 'JSON: name, set, last4, weak, resumed.', true],
    'status'         => ['Everything that the Dashboard shows.', STORE, 'JSON.', true],
    'testConnection' => ['Asks Tracker whether the credentials work; no record is written.', STORE, 'JSON: what works on each API.', true],
    'version'        => ['Version, interface, revision, SQLite, architecture; touches no store.', [], 'JSON.', true],
];

$class   = new ReflectionClass('Halt\\Tracker\\Engine');
$methods = array_filter($class->getMethods(), static fn (ReflectionMethod $method): bool => $method->isStatic());
usort($methods, static fn ($one, $other): int => strcmp($one->getName(), $other->getName()));
$names = array_map(static fn (ReflectionMethod $method): string => $method->getName(), $methods);
if ($names !== array_keys(WORDS)) {
    fwrite(STDERR, 'Methods and words differ: ' . implode(' ', array_merge(array_diff($names, array_keys(WORDS)), array_diff(array_keys(WORDS), $names))) . "\n");
    exit(1);
}

echo "<?php\n/**\n * The public face of the extension halt_tracker for editors and static analysis; made by tests/php/stub.php, never loaded by PHP.\n */\n\nnamespace Halt\\Tracker;\n\n";
echo "/** Raised by every failed call; the code is the number of the stable code, 1104 for HT-1104. */\nclass Exception extends \\Exception\n{\n}\n\n";
echo "/** The engine behind the WordPress plugin. Arguments and results are JSON unless said otherwise. */\nfinal class Engine\n{\n";
foreach ($methods as $at => $method) {
    [$what, $parameters, $returns, $throws] = WORDS[$method->getName()];
    $given = array_map(static fn (ReflectionParameter $parameter): string => $parameter->getName(), $method->getParameters());
    if ($given !== array_keys($parameters)) {
        fwrite(STDERR, $method->getName() . ': its parameters are ' . implode(', ', $given) . "\n");
        exit(1);
    }
    echo $at === 0 ? '' : "\n", "    /**\n     * $what\n     *\n";
    foreach ($method->getParameters() as $parameter) {
        echo '     * @param ', $parameter->getType(), ' $', $parameter->getName(), ' ', $parameters[$parameter->getName()], "\n";
    }
    echo '     * @return ', $method->getReturnType(), ' ', $returns, "\n", $throws ? "     * @throws Exception\n" : '', "     */\n";
    $list = array_map(static fn (ReflectionParameter $parameter): string => $parameter->getType() . ' $' . $parameter->getName(), $method->getParameters());
    echo '    public static function ', $method->getName(), '(', implode(', ', $list), '): ', $method->getReturnType(), "\n    {\n    }\n";
}
echo "}\n";
