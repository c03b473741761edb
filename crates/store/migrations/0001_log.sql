-- The application id reads "DIVS".
PRAGMA application_id = 1145656915;

-- The log. `data` is NULL for kinds without fields; `stream`, `at`, `actor` and `data` are as in an envelope's JSON.
CREATE TABLE events (
    seq     INTEGER PRIMARY KEY,
    stream  TEXT    NOT NULL,
    version INTEGER NOT NULL,
    at      TEXT    NOT NULL,
    actor   TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    data    TEXT,
    UNIQUE (stream, version)
) STRICT;

-- Folded from the log in the transaction that appends; can be made again from it at any time.
CREATE TABLE tasks (
    id       TEXT    PRIMARY KEY NOT NULL,
    number   INTEGER NOT NULL UNIQUE,
    project  TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    state    TEXT    NOT NULL
) STRICT;

CREATE TABLE projects (
    id      TEXT    PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    project TEXT    NOT NULL
) STRICT;

-- Which program folded the tables last.
CREATE TABLE folded (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    by  TEXT    NOT NULL
) STRICT;

-- The index of transcripts; can be made again from the journals. AUTOINCREMENT because a revision must never be
-- given twice, also not after the newest entries were forgotten.
CREATE TABLE entries (
    rev     INTEGER PRIMARY KEY AUTOINCREMENT,
    task    TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    session INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    at      TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    body    TEXT    NOT NULL,
    UNIQUE (task, attempt, session, seq)
) STRICT;

-- With the revision as its hidden last column it serves "this attempt after that revision".
CREATE INDEX entries_by_attempt ON entries (task, attempt);
