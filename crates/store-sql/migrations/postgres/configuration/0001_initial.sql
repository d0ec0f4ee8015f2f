-- Every statement may be run again: not every engine of this protocol takes them back when a step is interrupted.
-- The collation compares byte by byte, so that pages are in the order of bytes wherever they are read.
CREATE TABLE IF NOT EXISTS clients (
    client_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    document TEXT NOT NULL,
    deleted_at BIGINT
);

CREATE TABLE IF NOT EXISTS tokens (
    token_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    uses_left BIGINT,
    data TEXT NOT NULL
);
