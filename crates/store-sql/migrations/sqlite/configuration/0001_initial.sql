-- A rowid table beside a unique index: a table clustered on the identifier makes grouped inserts slower.
CREATE TABLE clients (
    client_id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE TABLE tokens (
    token_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER,
    uses_left INTEGER,
    data TEXT NOT NULL
) STRICT;
