-- Beside the tables of an IdentityServer, none of which is changed.
-- Every identifier that was given here stays, so that one unique index keeps it from being given again.
CREATE TABLE enroll_client_ids (
    client_id TEXT NOT NULL UNIQUE,
    deleted_at INTEGER
) STRICT;

CREATE TABLE enroll_tokens (
    token_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER,
    uses_left INTEGER,
    data TEXT NOT NULL
) STRICT;
