-- The table is ordered by a number: by its key, which is random, every insert would touch another page, and every index repeat it.
-- `client_key` is what `client_id` is found by: an index takes no identifier of several kilobytes.
CREATE TABLE IF NOT EXISTS records (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind VARBINARY(64) NOT NULL,
    hash VARBINARY(32) NOT NULL,
    revision BIGINT NOT NULL,
    client_id TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    client_key VARBINARY(64),
    subject VARBINARY(255),
    session VARBINARY(255),
    family VARBINARY(255),
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    document LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    UNIQUE INDEX records_by_key (kind, hash),
    INDEX records_by_client (client_key, kind, hash),
    INDEX records_by_subject (subject, kind, hash),
    INDEX records_by_session (session, kind, hash),
    INDEX records_by_family (family, kind, hash),
    INDEX records_by_end (expires_at)
);
