<?php
/**
 * Collects the texts of the plugin for translators into php-shim/languages/halt-tracker.pot, so that the file is in step with the
 * code; it refuses texts that translators' tools cannot see: put together at run time, or of another text domain.
 *
 * php tests/pot.php [--check]
 */

declare(strict_types=1);

const DOMAIN    = 'halt-tracker';
const FUNCTIONS = [
    '__' => ['text'], '_e' => ['text'], 'esc_html__' => ['text'], 'esc_html_e' => ['text'], 'esc_attr__' => ['text'], 'esc_attr_e' => ['text'],
    '_x' => ['text', 'context'], '_ex' => ['text', 'context'], 'esc_html_x' => ['text', 'context'], 'esc_attr_x' => ['text', 'context'],
    '_n' => ['text', 'plural', 'number'], '_nx' => ['text', 'plural', 'number', 'context'],
];

$root = dirname(__DIR__) . '/php-shim';
$wrong = [];
$entries = [];

/** Adds a text, or a place to one that is known. */
function add(array &$entries, string $file, string $text, string $plural, string $context, string $comment): void
{
    $key = $context . "\4" . $text;
    $entries[$key] ??= ['text' => $text, 'plural' => '', 'context' => $context, 'comments' => [], 'files' => []];
    $entries[$key]['plural'] = $entries[$key]['plural'] !== '' ? $entries[$key]['plural'] : $plural;
    $entries[$key]['files'][$file] = true;
    if ($comment !== '') {
        $entries[$key]['comments'][$comment] = true;
    }
}

/** The value of a string literal. */
function value(string $literal): string
{
    $inner = substr($literal, 1, -1);
    return $literal[0] === "'" ? strtr($inner, ['\\\\' => '\\', "\\'" => "'"]) : stripcslashes($inner);
}

/** The arguments of a call as lists of tokens; `$at` stands on the opening bracket. */
function arguments(array $tokens, int $at): array
{
    $all   = [[]];
    $depth = 0;
    for (; isset($tokens[$at]); $at++) {
        $token = $tokens[$at];
        $text  = is_array($token) ? $token[1] : $token;
        $depth += (int) in_array($text, ['(', '[', '{'], true) - (int) in_array($text, [')', ']', '}'], true);
        if ($depth === 0) {
            return $all;
        }
        if ($depth === 1 && $text === ',') {
            $all[] = [];
        } elseif (!($depth === 1 && $text === '(') && !(is_array($token) && in_array($token[0], [T_WHITESPACE, T_COMMENT], true))) {
            $all[count($all) - 1][] = $token;
        }
    }
    return $all;
}

$files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($root, FilesystemIterator::SKIP_DOTS));
$names = array_filter(array_map('strval', iterator_to_array($files, false)), static fn (string $name): bool => str_ends_with($name, '.php'));
sort($names);
foreach ($names as $name) {
    $file   = substr($name, strlen($root) + 1);
    $code   = (string) file_get_contents($name);
    $tokens = token_get_all($code);
    if ($file === DOMAIN . '.php') {
        foreach (['Plugin Name', 'Description'] as $header) {
            if (preg_match('/^ \* ' . $header . ':\s+(.+)$/m', $code, $found)) {
                add($entries, $file, trim($found[1]), '', '', $header . ' of the plugin');
            }
        }
    }
    $comment = '';
    foreach ($tokens as $at => $token) {
        if (is_array($token) && $token[0] === T_COMMENT && preg_match('#translators:\s*(.+?)\s*(\*/)?$#s', $token[1], $found)) {
            $comment = 'translators: ' . $found[1];
        }
        // A comment belongs to the statement that follows it.
        if ($token === ';') {
            $comment = '';
        }
        if (!is_array($token) || $token[0] !== T_STRING || !isset(FUNCTIONS[$token[1]]) || ($tokens[$at + 1] ?? '') !== '(') {
            continue;
        }
        if (is_array($tokens[$at - 1] ?? null) && in_array($tokens[$at - 1][0], [T_OBJECT_OPERATOR, T_DOUBLE_COLON, T_FUNCTION], true)) {
            continue;
        }
        $given  = arguments($tokens, $at + 1);
        $wanted = FUNCTIONS[$token[1]];
        $texts  = [];
        foreach ([...$wanted, 'domain'] as $place => $what) {
            $one = $given[$place] ?? [];
            if ($what === 'number') {
                continue;
            }
            if (count($one) !== 1 || !is_array($one[0]) || $one[0][0] !== T_CONSTANT_ENCAPSED_STRING) {
                $wrong[] = "$file:{$token[2]}: {$token[1]}: the $what is no plain text";
                continue 2;
            }
            $texts[$what] = value($one[0][1]);
        }
        if ($texts['domain'] !== DOMAIN) {
            $wrong[] = "$file:{$token[2]}: the text domain is {$texts['domain']}";
        }
        $placeholders = preg_match_all('/%(\d+\$)?[sd]/', $texts['text']);
        if ($placeholders > 0 && $comment === '') {
            $wrong[] = "$file:{$token[2]}: no comment tells translators what the placeholders stand for";
        }
        add($entries, $file, $texts['text'], $texts['plural'] ?? '', $texts['context'] ?? '', $placeholders > 0 ? $comment : '');
        $comment = $placeholders > 0 ? '' : $comment;
    }
}

/** A text as gettext writes it. */
function quoted(string $text): string
{
    $escaped = strtr($text, ['\\' => '\\\\', '"' => '\\"', "\t" => '\\t', "\n" => "\\n"]);
    $lines   = preg_split('/(?<=\\\\n)/', $escaped, -1, PREG_SPLIT_NO_EMPTY) ?: [''];
    return count($lines) < 2 ? '"' . $escaped . '"' : "\"\"\n\"" . implode("\"\n\"", $lines) . '"';
}

$out = "# Texts of RoleCall - powered by Halt; made by tests/pot.php, GPL-2.0-or-later.\nmsgid \"\"\nmsgstr \"\"\n"
    . "\"Project-Id-Version: RoleCall - powered by Halt\\n\"\n\"MIME-Version: 1.0\\n\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n"
    . "\"Content-Transfer-Encoding: 8bit\\n\"\n\"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n\"\n\"X-Domain: " . DOMAIN . "\\n\"\n";
foreach ($entries as $entry) {
    $out .= "\n";
    foreach (array_keys($entry['comments']) as $comment) {
        $out .= '#. ' . preg_replace('/\s+/', ' ', $comment) . "\n";
    }
    foreach (array_keys($entry['files']) as $file) {
        $out .= "#: $file\n";
    }
    $out .= preg_match('/%(\d+\$)?[sd]/', $entry['text']) ? "#, php-format\n" : '';
    $out .= $entry['context'] !== '' ? 'msgctxt ' . quoted($entry['context']) . "\n" : '';
    $out .= 'msgid ' . quoted($entry['text']) . "\n";
    $out .= $entry['plural'] !== '' ? 'msgid_plural ' . quoted($entry['plural']) . "\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n" : "msgstr \"\"\n";
}

foreach ($wrong as $line) {
    fwrite(STDERR, $line . "\n");
}
$to = $root . '/languages/' . DOMAIN . '.pot';
if (in_array('--check', $argv, true)) {
    if (@file_get_contents($to) !== $out) {
        fwrite(STDERR, "php-shim/languages/halt-tracker.pot is not in step with the code; run: make generate\n");
        $wrong[] = 'step';
    }
} elseif (@file_get_contents($to) !== $out) {
    file_put_contents($to, $out);
    echo 'wrote php-shim/languages/halt-tracker.pot, ', count($entries), " texts\n";
}
exit($wrong === [] ? 0 : 1);
