-- The store's one schema. Times are milliseconds: `_at` since 1970 UTC, `_boot` since boot (see clock.rs).
-- Every BLOB named in `sealed` comments is sealed by the key ring; hashes are keyed. Migrations only add.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE submission (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival
    id          TEXT    NOT NULL UNIQUE,            -- made by the caller before anything was stored
    source      TEXT    NOT NULL,
    form_key    TEXT    NOT NULL,
    form_id     TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('queued','held','sending','retry','checking','attention','failed','done','discarded','erased')),
    reason      TEXT    NOT NULL DEFAULT '',        -- of attention and discarded
    code        INTEGER NOT NULL DEFAULT 0,         -- HT number of the last trouble
    message     BLOB,                               -- sealed: its words
    due_at      INTEGER NOT NULL DEFAULT 0,         -- next try by the wall clock, for another boot
    due_boot    INTEGER NOT NULL DEFAULT 0,         -- next try by the boot clock
    boot_id     TEXT    NOT NULL DEFAULT '',
    run_id      TEXT    NOT NULL DEFAULT '',        -- the run that holds it while it is `sending`
    crashes     INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    marker      TEXT    NOT NULL,
    person      BLOB,                               -- keyed hash of type and e-mail, known once it was planned
    record_type TEXT    NOT NULL DEFAULT '',
    api         TEXT    NOT NULL DEFAULT '',
    tenant      TEXT    NOT NULL DEFAULT '',        -- keyed hash of hosts and client id that the plan is for
    generation  INTEGER NOT NULL DEFAULT 0,         -- of the credentials that the plan was made under
    plan        BLOB,                               -- sealed: the requests
    plan_fixed  INTEGER NOT NULL DEFAULT 0,
    tracker_id  INTEGER,
    files       INTEGER NOT NULL DEFAULT 0,
    payload     BLOB,                               -- sealed: the submission; NULL once erased or past its retention
    erase       INTEGER NOT NULL DEFAULT 0,         -- marked for erasure as soon as nothing is open
    ended_at    INTEGER,
    audit_at    INTEGER,                            -- one more look 24 h after a lost answer
    verify      INTEGER NOT NULL DEFAULT 0          -- 1: look before the first send (after a restore, a move or a gap)
) STRICT;
CREATE INDEX submission_due   ON submission (state, due_at, seq);
CREATE INDEX submission_time  ON submission (received_at, seq);
CREATE INDEX submission_touch ON submission (updated_at, seq);
CREATE INDEX submission_form  ON submission (form_key, received_at);
CREATE INDEX submission_state ON submission (state, received_at);
CREATE INDEX submission_person ON submission (person, seq) WHERE person IS NOT NULL;
CREATE INDEX submission_audit ON submission (audit_at) WHERE audit_at IS NOT NULL;
CREATE INDEX submission_erase  ON submission (erase) WHERE erase = 1;
CREATE INDEX submission_record ON submission (tracker_id) WHERE tracker_id IS NOT NULL;

CREATE TABLE step (
    seq          INTEGER NOT NULL REFERENCES submission (seq),
    ordinal      INTEGER NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('find','contact','record','longlist','activity','document')),
    state        TEXT    NOT NULL CHECK (state IN ('todo','intent','applied','unknown','done','rejected','skipped')),
    file         INTEGER,                           -- a document's place among the files
    request_hash BLOB,                              -- of what the intent was written for
    intent_at    INTEGER,
    deadline     INTEGER,                           -- boot clock: no first byte after it
    boot_id      TEXT    NOT NULL DEFAULT '',
    unknown_at   INTEGER,
    unknown_boot INTEGER,
    looks        INTEGER NOT NULL DEFAULT 0,        -- clean looks that found nothing
    unclean      INTEGER NOT NULL DEFAULT 0,        -- answered looks that prove nothing
    resends      INTEGER NOT NULL DEFAULT 0,
    tracker_id   INTEGER,
    how          TEXT    NOT NULL DEFAULT '',       -- created, found, reconciled, by hand, …
    code         INTEGER NOT NULL DEFAULT 0,
    message      BLOB,                              -- sealed
    settled_at   INTEGER,
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
    seq     INTEGER NOT NULL REFERENCES submission (seq),
    ordinal INTEGER NOT NULL,
    about   BLOB    NOT NULL,                       -- sealed: field, name, type, size, reason of refusal
    stored  TEXT    NOT NULL,                       -- name in the `files` folder, or empty
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_stored ON file (stored);

CREATE TABLE journal (
    line   INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    run_id TEXT    NOT NULL,
    step   TEXT    NOT NULL,
    event  TEXT    NOT NULL,
    code   INTEGER NOT NULL,
    detail BLOB                                     -- sealed
) STRICT;
CREATE INDEX journal_seq ON journal (seq, line);

CREATE TABLE run (
    id         TEXT PRIMARY KEY,
    caller     TEXT    NOT NULL,
    pid        INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT    NOT NULL DEFAULT '',
    touched    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX run_time ON run (started_at);
CREATE TABLE run_item (
    run_id TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    state  TEXT    NOT NULL,
    code   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE search (                               -- keyed hashes of e-mails and of words of names
    hash BLOB    NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (hash, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX search_seq ON search (seq);

CREATE TABLE once (                                 -- replay keys, duplicate keys, uploads that were taken
    key   BLOB PRIMARY KEY,
    id    TEXT    NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX once_until ON once (until);

CREATE TABLE secret (
    name     TEXT    NOT NULL,
    slot     INTEGER NOT NULL,
    sealed   BLOB    NOT NULL,
    saved_at INTEGER NOT NULL,
    used_at  INTEGER,
    weak     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    name       TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE pause (
    reason   TEXT PRIMARY KEY CHECK (reason IN ('credentials','endpoint','key','site','restored','by hand')),
    since    INTEGER NOT NULL,
    code     INTEGER NOT NULL,
    detail   BLOB,                                  -- sealed: Tracker's words
    probe_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE form (
    key       TEXT PRIMARY KEY,
    id        TEXT    NOT NULL,
    title     TEXT    NOT NULL,
    aliases   TEXT    NOT NULL,
    last_seen INTEGER NOT NULL,
    count     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE refusal (                              -- webhook requests that were refused, the last 20 for 7 days
    line    INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    address BLOB    NOT NULL,                       -- sealed
    code    INTEGER NOT NULL
) STRICT;

CREATE TABLE erased (                               -- who was erased, as a keyed hash, so that a restore cannot bring them back
    hash BLOB PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
