<?php
/**
 * A small stand-in for WP-CLI, which is in no package registry: it keeps to the documented contract of WP_CLI::add_command(), of
 * the synopsis in a command's comment, of the output functions and of exit codes, and it is as strict as the original about
 * arguments that a synopsis does not name. It refuses everything it does not know.
 *
 * php wp-cli.php <wp-load.php> <host> <command> [arguments]
 */

namespace WP_CLI\Utils {
    function get_flag_value($all, $name, $usual = null) { return $all[$name] ?? $usual; }

    function format_items($format, $items, $fields)
    {
        $fields = is_array($fields) ? $fields : explode(',', $fields);
        $rows   = [];
        foreach ($items as $item) {
            $row = [];
            foreach ($fields as $field) {
                if (!array_key_exists($field, (array) $item)) {
                    \WP_CLI::error("Invalid field: $field.");
                }
                $row[$field] = ((array) $item)[$field];
            }
            $rows[] = $row;
        }
        switch ($format) {
            case 'json':
                echo json_encode($rows), "\n";
                break;
            case 'csv':
                $out = fopen('php://output', 'w');
                foreach ([$fields, ...array_map('array_values', $rows)] as $row) {
                    fputcsv($out, $row, ',', '"', '');
                }
                break;
            case 'yaml':
                echo "---\n";
                foreach ($rows as $row) {
                    echo "-\n";
                    foreach ($row as $name => $value) {
                        echo "  $name: ", json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
                    }
                }
                break;
            case 'table':
                foreach ([array_combine($fields, $fields), ...$rows] as $row) {
                    echo implode("\t", array_map('strval', $row)), "\n";
                }
                break;
            default:
                \WP_CLI::error("Invalid format '$format'.");
        }
    }
}

namespace {
    final class WP_CLI
    {
        /** @var array<string,callable|array{0:class-string,1:string}> */
        public static array $commands = [];

        public static function add_command($name, $callable, $args = [])
        {
            if (is_string($callable) && class_exists($callable)) {
                foreach ((new ReflectionClass($callable))->getMethods(ReflectionMethod::IS_PUBLIC) as $method) {
                    if (!$method->isStatic() && !str_starts_with($method->name, '__')) {
                        $verb = preg_match('/@subcommand\s+(\S+)/', (string) $method->getDocComment(), $found) ? $found[1] : $method->name;
                        self::$commands["$name $verb"] = [$callable, $method->name];
                    }
                }
                return true;
            }
            if (!is_callable($callable)) {
                self::error("Callable for '$name' is invalid.");
            }
            self::$commands[$name] = $callable;
            return true;
        }

        public static function line($text = '') { echo $text, "\n"; }
        public static function log($text) { echo $text, "\n"; }
        public static function success($text) { echo "Success: $text\n"; }
        public static function warning($text) { fwrite(STDERR, "Warning: $text\n"); }
        public static function halt($code) { exit($code); }

        public static function error($text, $exit = true)
        {
            fwrite(STDERR, "Error: $text\n");
            if ($exit) {
                exit($exit === true ? 1 : $exit);
            }
        }

        public static function confirm($question, $assoc = [])
        {
            if (!empty($assoc['yes'])) {
                return;
            }
            echo "$question [y/n] ";
            if (strtolower(trim((string) fgets(STDIN))) !== 'y') {
                exit;
            }
        }
    }

    /** What a comment's OPTIONS say: only a token with a line that begins with a colon below it counts. */
    function synopsis(string $comment): array
    {
        $text  = preg_replace('/^[ \t]*\*[ \t]?/m', '', preg_replace('#^/\*\*|\*/$#', '', $comment));
        $parts = [];
        if (!preg_match('/^## OPTIONS\s*$(.*?)(?=^## |^@|\z)/ms', $text, $section)) {
            return [];
        }
        preg_match_all('/^(?!:)(\S.*)\n: .*(?:\n---\n((?:.*\n)*?)---)?/m', $section[1], $found, PREG_SET_ORDER);
        foreach ($found as $one) {
            $token = trim($one[1]);
            if (!preg_match('/^(\[)?(?:--(?:\[no-\])?([a-z-]+)(=<[^>]+>)?|<([a-z-]+)>)(\])?(\.\.\.)?(\])?$/', $token, $t)) {
                WP_CLI::error("The synopsis has a token that cannot be read: $token");
            }
            $part = ['optional' => ($t[1] ?? '') !== '', 'name' => ($t[2] ?? '') ?: ($t[4] ?? ''), 'assoc' => ($t[2] ?? '') !== '', 'flag' => ($t[2] ?? '') !== '' && ($t[3] ?? '') === '', 'many' => ($t[6] ?? '') !== ''];
            if (preg_match('/^default: *(.*)$/m', $one[2] ?? '', $default)) {
                $part['default'] = trim($default[1]);
            }
            if (preg_match_all('/^ +- (.+)$/m', $one[2] ?? '', $options)) {
                $part['options'] = array_map('trim', $options[1]);
            }
            $parts[] = $part;
        }
        return $parts;
    }

    /** As strict as the original: too few, too many, unknown, not allowed. */
    function validated(array $parts, array $args, array $assoc): array
    {
        if ($parts === []) {
            return [$args, $assoc];
        }
        $places = array_values(array_filter($parts, static fn ($part) => !$part['assoc']));
        $needed = count(array_filter($places, static fn ($part) => !$part['optional']));
        $many   = array_filter($places, static fn ($part) => $part['many']) !== [];
        if (count($args) < $needed) {
            WP_CLI::error('usage: too few arguments');
        }
        if (!$many && count($args) > count($places)) {
            WP_CLI::error('Too many positional arguments: ' . implode(' ', array_slice($args, count($places))));
        }
        foreach ($places as $at => $part) {
            if (isset($part['options'], $args[$at]) && !in_array($args[$at], $part['options'], true)) {
                WP_CLI::error("Invalid value specified for positional arg.");
            }
        }
        $known = array_column(array_filter($parts, static fn ($part) => $part['assoc']), null, 'name');
        foreach (array_keys($assoc) as $name) {
            if (!isset($known[$name])) {
                WP_CLI::error("Parameter errors:\n unknown --$name parameter");
            }
        }
        foreach ($known as $name => $part) {
            if (!isset($assoc[$name]) && isset($part['default'])) {
                $assoc[$name] = $part['default'];
            }
            if (isset($assoc[$name], $part['options']) && !in_array($assoc[$name], $part['options'], true)) {
                WP_CLI::error("Parameter errors:\n Invalid value specified for '$name'");
            }
        }
        return [$args, $assoc];
    }

    define('WP_CLI', true);
    [, $load, $host] = $argv;
    $_SERVER['HTTP_HOST']   = $host;
    $_SERVER['REQUEST_URI'] = '/';
    $args  = [];
    $assoc = [];
    foreach (array_slice($argv, 3) as $word) {
        if (preg_match('/^--([^=]+)(?:=(.*))?$/s', $word, $found)) {
            $assoc[$found[1]] = $found[2] ?? true;
        } else {
            $args[] = $word;
        }
    }
    require $load;
    if ($args === ['help']) {
        foreach (WP_CLI::$commands as $name => $callable) {
            $method = new ReflectionMethod($callable[0], $callable[1]);
            $text   = (string) $method->getDocComment();
            echo $name, "\t", json_encode(synopsis($text)), "\t", trim(preg_match('#^(?:/\*)?\s*\*+\s+([^@\#\s].*?)(?:\*/)?$#m', $text, $found) ? $found[1] : ''), "\n";
        }
        exit;
    }
    for ($length = count($args); $length > 0; $length--) {
        $name = implode(' ', array_slice($args, 0, $length));
        if (isset(WP_CLI::$commands[$name])) {
            $callable         = WP_CLI::$commands[$name];
            $method           = new ReflectionMethod($callable[0], $callable[1]);
            [$places, $named] = validated(synopsis((string) $method->getDocComment()), array_slice($args, $length), $assoc);
            $method->invoke(is_object($callable[0]) ? $callable[0] : new $callable[0](), $places, $named);
            exit(0);
        }
    }
    WP_CLI::error("'" . implode(' ', $args) . "' is not a registered wp command.");
}
