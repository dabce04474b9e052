<?php
/**
 * Turns the engine's own words - events, callers, steps, names of fields - into what a recruiter would say.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

namespace Halt\Tracker\WordPress\Admin;

use Halt\Tracker\WordPress\Options;

defined('ABSPATH') || exit;

/** Plain words; a word that is not known is shown as it came. */
final class Words
{
    /** @var array<string,mixed>|null */
    private static ?array $engine = null;

    /** A sentence of the engine's tables: `states`, `step_states`, `step_kinds`, `pauses`. */
    public static function engine(string $table, string $word): string
    {
        self::$engine ??= require dirname(__DIR__) . '/words.php';
        return (string) (self::$engine[$table][$word] ?? $word);
    }

    /** The names of Tracker's fields, as a mapping writes them. @return list<string> */
    public static function tracker_fields(): array
    {
        self::$engine ??= require dirname(__DIR__) . '/words.php';
        return array_values(array_filter((array) self::$engine['fields'], 'is_string'));
    }

    /** What a step does, without the full stop. */
    public static function step(string $kind): string
    {
        return rtrim(self::engine('step_kinds', $kind), '.');
    }

    /** Who started a run. */
    public static function caller(string $caller): string
    {
        return [
            'cron'   => __('by the schedule', 'halt-tracker'),
            'button' => __('by Run now', 'halt-tracker'),
            'cli'    => __('from the command line', 'halt-tracker'),
            'after'  => __('right after a submission', 'halt-tracker'),
        ][$caller] ?? $caller;
    }

    /** Where a submission came from. */
    public static function source(string $source): string
    {
        return ['divi' => __('Divi form', 'halt-tracker'), 'webhook' => __('Webhook', 'halt-tracker'), 'legacy' => __('Earlier plugin', 'halt-tracker'), 'test' => __('Test', 'halt-tracker')][$source] ?? $source;
    }

    /** A line of the journal. */
    public static function event(string $event): string
    {
        return [
            'accepted'           => __('Received and stored', 'halt-tracker'),
            'looked'             => __('Looked in Tracker', 'halt-tracker'),
            'skipped'            => __('Not needed', 'halt-tracker'),
            'found'              => __('Found in Tracker', 'halt-tracker'),
            'created'            => __('Created in Tracker', 'halt-tracker'),
            'applied'            => __('Tracker took it without naming the record', 'halt-tracker'),
            'already there'      => __('It was in Tracker already', 'halt-tracker'),
            'refused'            => __('Tracker refused it', 'halt-tracker'),
            'answer lost'        => __('Tracker’s answer was lost', 'halt-tracker'),
            'not sent'           => __('Could not be sent', 'halt-tracker'),
            'credentials refused' => __('Tracker refused the credentials; nothing was sent', 'halt-tracker'),
            'endpoint'           => __('Tracker’s address did not answer as it should; nothing was sent', 'halt-tracker'),
            'too many requests'  => __('Tracker asked for fewer requests; nothing was sent', 'halt-tracker'),
            'reconciled'         => __('Found in Tracker: the lost answer had been a success', 'halt-tracker'),
            'assumed'            => __('Taken as done: nobody can look, and sending again could double it', 'halt-tracker'),
            'sent again'         => __('Sent again', 'halt-tracker'),
            'audited'            => __('Looked again later: no second record', 'halt-tracker'),
            'looked, not there yet' => __('Looked in Tracker: not there yet', 'halt-tracker'),
            'looked, proves nothing' => __('Looked in Tracker: nothing could be proven', 'halt-tracker'),
            'absent, as a person said' => __('A person said that it is not in Tracker: it is sent again', 'halt-tracker'),
            'sent again without a look: it may be there twice' => __('Sent again without a look: it may be there twice', 'halt-tracker'),
            'late look put off'  => __('Looking for a second record proved nothing; it is done again later', 'halt-tracker'),
            'not audited'        => __('Nobody knows whether Tracker made a second record', 'halt-tracker'),
            'late twin'          => __('A second record appeared in Tracker', 'halt-tracker'),
            'run ended abruptly' => __('The run ended abruptly', 'halt-tracker'),
            'done'               => __('Delivered', 'halt-tracker'),
            'tried'              => __('Tried in vain; waits for another try', 'halt-tracker'),
            'retry'              => __('Waits for another try', 'halt-tracker'),
            'checking'           => __('Tracker is searched before anything is sent again', 'halt-tracker'),
            'attention'          => __('A person must decide', 'halt-tracker'),
            'failed'             => __('Given up until somebody retries', 'halt-tracker'),
            'queued'             => __('Waits to be sent', 'halt-tracker'),
            'held'               => __('Held for review', 'halt-tracker'),
            'discard'            => __('Discarded by hand', 'halt-tracker'),
            'spam'               => __('Discarded as spam', 'halt-tracker'),
            'release'            => __('Released for sending', 'halt-tracker'),
            'erase'              => __('Erasure asked for', 'halt-tracker'),
            'exists'             => __('A person named the record in Tracker', 'halt-tracker'),
            'named and checked'  => __('The record that was named is this person’s', 'halt-tracker'),
            'named, not checked' => __('The record that was named could not be read; it is used as it was named', 'halt-tracker'),
            'named, not theirs'  => __('The record that was named is not this person’s', 'halt-tracker'),
            'named again'        => __('The same record was named once more; it is used', 'halt-tracker'),
            'absent'             => __('It is not in Tracker', 'halt-tracker'),
        ][$event] ?? $event;
    }

    /** What came of a step, where its state alone does not say it; the engine's message only when it adds something. */
    public static function outcome(string $how, string $message): string
    {
        $plain = [
            'no existing record' => __('No existing record matches.', 'halt-tracker'),
            'created'            => '',
            'success'            => '',
            'invalid_grant'      => __('Tracker says that the refresh token is not valid any more (invalid_grant).', 'halt-tracker'),
            'invalid_client'     => __('Tracker does not know this client ID and secret (invalid_client).', 'halt-tracker'),
            'refused: activity'  => __('Tracker refused the activity.', 'halt-tracker'),
            'refused: activity. The person was there already, so that only the activity holds what the form brought; look whether the record is still in Tracker' => __('Tracker refused the activity. The person was there already, so that only the activity holds what the form brought; look whether the record is still in Tracker.', 'halt-tracker'),
            'the record is new and has it all; activities are switched off' => __('The record is new and has it all; activities are switched off.', 'halt-tracker'),
            'the settings ask for it no longer' => __('The settings ask for it no longer.', 'halt-tracker'),
            'refused: document'  => __('Tracker refused a file.', 'halt-tracker'),
            'refused: longlist'  => __('Tracker refused the long list entry.', 'halt-tracker'),
        ];
        $said = $plain[$message] ?? $message;
        return $said === '' && (str_starts_with($how, 'by hand') || str_starts_with($how, 'named')) ? __('Settled by hand.', 'halt-tracker') : $said;
    }

    /** Why a submission is in its state. */
    public static function reason(string $reason): string
    {
        return [
            'by hand'   => __('by hand', 'halt-tracker'),
            'spam'      => __('as spam', 'halt-tracker'),
            'partial'   => __('a part of it was refused', 'halt-tracker'),
            'several'   => __('several records match', 'halt-tracker'),
            'unsettled' => __('nobody knows whether Tracker has it', 'halt-tracker'),
            'no id'     => __('Tracker gave no id', 'halt-tracker'),
            'protected' => __('Tracker protects an existing record', 'halt-tracker'),
            'resends'   => __('sent twice without an answer', 'halt-tracker'),
            'crashes'   => __('it stopped PHP several times', 'halt-tracker'),
            'other person' => __('the record that was named is another person’s', 'halt-tracker'),
            'tenant'    => __('the record belongs to other credentials', 'halt-tracker'),
            'other type' => __('the person is there as another kind of record', 'halt-tracker'),
            'late twin' => __('a second record appeared', 'halt-tracker'),
        ][$reason] ?? $reason;
    }

    /** The name of a form field or of a piece of information about the page: its label, else its key made readable. */
    public static function field(string $key, string $label = ''): string
    {
        if ($label !== '') {
            return $label;
        }
        $known = [
            'page_url'     => __('Page', 'halt-tracker'),
            'page_title'   => __('Title of the page', 'halt-tracker'),
            'form_title'   => __('Title of the form', 'halt-tracker'),
            'locale'       => __('Language', 'halt-tracker'),
            'utm_source'   => __('Campaign source', 'halt-tracker'),
            'utm_medium'   => __('Campaign medium', 'halt-tracker'),
            'utm_campaign' => __('Campaign name', 'halt-tracker'),
            'utm_term'     => __('Campaign term', 'halt-tracker'),
            'utm_content'  => __('Campaign content', 'halt-tracker'),
            'email'        => __('E-mail', 'halt-tracker'),
            'linkedIn'     => __('LinkedIn', 'halt-tracker'),
        ];
        return $known[$key] ?? ucfirst(strtolower(trim((string) preg_replace('/[_\-\s]+/', ' ', (string) preg_replace('/(?<=[a-z])(?=[A-Z])/', ' ', $key)))));
    }

    /**
     * The name of a form: its title, else the id that a person gave it, else a sentence; never Divi's running number.
     *
     * @param array<string,mixed> $form
     */
    public static function form(array $form): string
    {
        $title = (string) ($form['title'] ?? '');
        $id    = (string) (($form['id'] ?? '') !== '' ? $form['id'] : ($form['key'] ?? ''));
        if ($title !== '' || ($id !== '' && !str_contains($id, 'et_pb_contact_form') && !preg_match('/^[0-9a-f]{8}-[0-9a-f-]{27}$/', $id))) {
            return $title !== '' ? $title : $id;
        }
        return __('A form without a title', 'halt-tracker');
    }

    /**
     * The name of the person who sent it, as the form says it; empty when it says none.
     *
     * @param array<string,mixed> $fields
     */
    public static function person(array $fields): string
    {
        $given = static function (string ...$names) use ($fields): string {
            foreach ($fields as $key => $value) {
                if (in_array(strtolower((string) preg_replace('/[^A-Za-z]/', '', (string) $key)), $names, true) && is_scalar($value) && trim((string) $value) !== '') {
                    return trim((string) $value);
                }
            }
            return '';
        };
        $whole = $given('name', 'fullname', 'yourname');
        return $whole !== '' ? $whole : trim($given('firstname', 'givenname') . ' ' . $given('lastname', 'surname', 'familyname'));
    }

    /**
     * A request as lines "name: value" for reading; credentials are not in it, and empty lists say nothing.
     *
     * @param mixed $value
     * @return array<string,string>
     */
    public static function lines($value, string $name = ''): array
    {
        if (!is_array($value) && !is_object($value)) {
            return $value === null ? [] : [$name => is_bool($value) ? ($value ? __('yes', 'halt-tracker') : __('no', 'halt-tracker')) : Options::as_text($value)];
        }
        $lines = [];
        foreach ((array) $value as $key => $inner) {
            // The outer wrappers carry no meaning for a reader.
            $wrapper = $name === '' && (is_array($inner) || is_object($inner));
            foreach (self::lines($inner, $wrapper ? '' : ($name === '' ? (string) $key : $name . '.' . $key)) as $at => $text) {
                $lines[isset($lines[$at]) ? $key . '.' . $at : $at] = $text;
            }
        }
        return $lines;
    }
}
