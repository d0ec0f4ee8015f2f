-- Beside the tables of an IdentityServer, none of which is changed. Every statement may be run again: this engine ends a transaction
-- with each of them, so a step that was interrupted is half there.
-- Every identifier that was given here stays, so that one unique index keeps it from being given again. Names are bytes.
CREATE TABLE IF NOT EXISTS enroll_client_ids (
    client_id VARBINARY(800) NOT NULL PRIMARY KEY,
    deleted_at BIGINT
);

CREATE TABLE IF NOT EXISTS enroll_tokens (
    token_id VARBINARY(64) NOT NULL PRIMARY KEY,
    kind VARBINARY(64) NOT NULL,
    hash VARBINARY(32) NOT NULL UNIQUE,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    uses_left BIGINT,
    data LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
);
