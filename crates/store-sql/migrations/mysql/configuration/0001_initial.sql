-- Every statement may be run again: this engine ends a transaction with each of them, so a step that was interrupted is half there.
-- Names are bytes, since its collations of text pass over spaces at the end.
CREATE TABLE IF NOT EXISTS clients (
    client_key VARBINARY(64) NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    document LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    deleted_at BIGINT
);

CREATE TABLE IF NOT EXISTS tokens (
    token_id VARBINARY(64) NOT NULL PRIMARY KEY,
    kind VARBINARY(64) NOT NULL,
    hash VARBINARY(32) NOT NULL UNIQUE,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    uses_left BIGINT,
    data LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
);
