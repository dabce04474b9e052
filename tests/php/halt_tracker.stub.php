<?php
/**
 * The public face of the extension halt_tracker for editors and static analysis; made by tests/php/stub.php, never loaded by PHP.
 */

namespace Halt\Tracker;

/** Raised by every failed call; the code is the number of the stable code, 1104 for HT-1104. */
class Exception extends \Exception
{
}

/** The engine behind the WordPress plugin. Arguments and results are JSON unless said otherwise. */
final class Engine
{
    /**
     * Accepts a form. When it throws, nothing was stored and the caller keeps the form itself.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $submission JSON: the form as the visitor sent it.
     * @return string JSON: id, state, duplicate, relay; site when options have to be saved.
     * @throws Exception
     */
    public static function accept(string $dir, string $site, string $settings, string $submission): string
    {
    }

    /**
     * Does what a person asks for: retry, discard, spam, release, erase, pause, resume and more.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $action JSON: action, ids and what else the action takes.
     * @return string JSON: changed and refused ids.
     * @throws Exception
     */
    public static function act(string $dir, string $site, string $settings, string $action): string
    {
    }

    /**
     * Takes over a form that was kept in the site's own database while the engine was away.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $row JSON: id, hash and key id of the row.
     * @param string $sealed The sealed bytes as they were kept.
     * @return string JSON: id, complete, duplicate, state.
     * @throws Exception
     */
    public static function adopt(string $dir, string $site, string $settings, string $row, string $sealed): string
    {
    }

    /**
     * Checks settings before they are saved; touches no store.
     *
     * @param string $settings JSON: settings by name without prefix.
     * @return string JSON: errors and warnings.
     * @throws Exception
     */
    public static function check(string $settings): string
    {
    }

    /**
     * The raw bytes of a stored file.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $id The submission.
     * @param int $ordinal The file's place in it, from 1.
     * @return string The bytes.
     * @throws Exception
     */
    public static function file(string $dir, string $site, string $settings, string $id, int $ordinal): string
    {
    }

    /**
     * Everything about one submission.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $id The submission.
     * @return string JSON.
     * @throws Exception
     */
    public static function get(string $dir, string $site, string $settings, string $id): string
    {
    }

    /**
     * Answers a webhook request. It never throws: what goes wrong is an answer too.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $request JSON: method and the headers that count, absent ones empty.
     * @param string $body The raw body.
     * @return string JSON: status, headers, body, id, relay; site when options have to be saved.
     */
    public static function ingest(string $dir, string $site, string $settings, string $request, string $body): string
    {
    }

    /**
     * One page of submissions.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $query JSON: search, state, form, from, to, sort, direction, page, per_page.
     * @return string JSON: total and items; person and e-mail are masked.
     * @throws Exception
     */
    public static function list(string $dir, string $site, string $settings, string $query): string
    {
    }

    /**
     * What would be sent for a submission; nothing is sent.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $query JSON: id of a submission, key of a form, or test with a form.
     * @return string JSON: api, record type, steps, errors, unused fields.
     * @throws Exception
     */
    public static function preview(string $dir, string $site, string $settings, string $query): string
    {
    }

    /**
     * Delivers what is due, within a time budget.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $options JSON: caller and budget_ms.
     * @return string JSON: outcome, items, left, events and when to come back.
     * @throws Exception
     */
    public static function run(string $dir, string $site, string $settings, string $options): string
    {
    }

    /**
     * Saves a secret in the vault; it is never given back.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @param string $name client_secret, refresh_token, api_token or shared_secret.
     * @param string $value The secret.
     * @return string JSON: name, set, last4, weak, resumed.
     * @throws Exception
     */
    public static function saveSecret(string $dir, string $site, string $settings, string $name, string $value): string
    {
    }

    /**
     * Everything that the Dashboard shows.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @return string JSON.
     * @throws Exception
     */
    public static function status(string $dir, string $site, string $settings): string
    {
    }

    /**
     * Asks Tracker whether the credentials work; no record is written.
     *
     * @param string $dir Absolute path of the data directory.
     * @param string $site JSON: which site calls (install_id, home, epoch, counter, environment).
     * @param string $settings JSON: what was saved, and what the engine has to know about the server.
     * @return string JSON: what works on each API.
     * @throws Exception
     */
    public static function testConnection(string $dir, string $site, string $settings): string
    {
    }

    /**
     * Version, interface, revision, SQLite, architecture; touches no store.
     *
     * @return string JSON.
     * @throws Exception
     */
    public static function version(): string
    {
    }
}
