-- Beside the tables of an IdentityServer, none of which is changed. Every statement may be run again: not every engine of this
-- protocol takes them back when a step is interrupted.
-- Every identifier that was given here stays, so that one unique index keeps it from being given again.
CREATE TABLE IF NOT EXISTS enroll_client_ids (
    client_id VARCHAR(200) COLLATE "C" NOT NULL PRIMARY KEY,
    deleted_at BIGINT
);

CREATE TABLE IF NOT EXISTS enroll_tokens (
    token_id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    kind VARCHAR(64) COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    uses_left BIGINT,
    data TEXT NOT NULL
);
