<?php
/**
 * Cuts a form's files, and a text too long for one row, into sealed parts of the capture table; an add-on may delete its file as soon as the request ends.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress;

defined('ABSPATH') || exit;

/** The parts of one form. They are written before the form itself, so that a crash leaves parts without a form, never half a form. */
final class CaptureParts
{
    /** Plain bytes of a part: small enough for every server's largest packet, as hex and with its statement. */
    public const BYTES = 256 * 1024;

    /** The engine's own limits: what is beyond them would be refused there, so only its name is kept here. */
    private const MOST_FILES = 5;
    private const MOST_FILE  = 10 * 1024 * 1024;
    private const MOST_TOTAL = 25 * 1024 * 1024;

    private int $last  = 0;
    private int $files = 0;
    private int $total = 0;

    /** @param \Closure(int,string):void $write Writes part n; throws when it cannot. */
    public function __construct(private readonly \Closure $write, private readonly \Closure $forget)
    {
    }

    /** How many parts were written. */
    public function count(): int
    {
        return $this->last;
    }

    /**
     * The files of a form with the parts in which they were kept. What cannot be kept is named all the same: the form matters more.
     *
     * @param list<array<string,mixed>> $files As {@see DiviUploads::files()} names them.
     * @return list<array<string,mixed>>
     */
    public function files(array $files): array
    {
        foreach ($files as $at => $file) {
            $before = $this->last;
            try {
                $kept = $this->file($file);
            } catch (\Throwable) {
                ($this->forget)($before);
                $this->last = $before;
                $kept       = null;
            }
            if ($kept !== null) {
                $files[$at]['kept'] = $kept;
            }
        }
        return $files;
    }

    /**
     * A text in parts of its own.
     *
     * @return array{first:int,hashes:list<string>}
     */
    public function text(string $text): array
    {
        $first  = $this->last + 1;
        $hashes = [];
        for ($from = 0; $from < strlen($text); $from += self::BYTES) {
            $hashes[] = $this->part(substr($text, $from, self::BYTES));
        }
        return ['first' => $first, 'hashes' => $hashes];
    }

    /**
     * @param array<string,mixed> $file
     * @return array{first:int,hashes:list<string>}|null
     */
    private function file(array $file): ?array
    {
        $handle = DiviUploads::open($file);
        if ($handle === null) {
            return null;
        }
        try {
            $size = (int) (fstat($handle)['size'] ?? 0);
            if ($this->files >= self::MOST_FILES || $size > self::MOST_FILE || $this->total + $size > self::MOST_TOTAL) {
                return null;
            }
            $first  = $this->last + 1;
            $hashes = [];
            $read   = 0;
            while (!feof($handle)) {
                $bytes = stream_get_contents($handle, self::BYTES);
                if ($bytes === false) {
                    throw new EngineException('HT-1707', 'an uploaded file cannot be read');
                }
                $read += strlen($bytes);
                if ($bytes !== '') {
                    $hashes[] = $this->part($bytes);
                }
                if ($read > self::MOST_FILE) {
                    throw new EngineException('HT-1707', 'an uploaded file grows while it is read');
                }
            }
            $this->files++;
            $this->total += $read;
            return ['first' => $first, 'hashes' => $hashes];
        } finally {
            fclose($handle);
        }
    }

    private function part(string $bytes): string
    {
        ($this->write)($this->last + 1, $bytes);
        $this->last++;
        return hash('sha256', $bytes);
    }
}
