-- Every statement may be run again: not every engine of this protocol takes them back when a step is interrupted.
-- `client_key` is what `client_id` is found by: an index takes no identifier of several kilobytes.
CREATE TABLE IF NOT EXISTS records (
    kind TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    client_id TEXT,
    client_key TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    session TEXT COLLATE "C",
    family TEXT COLLATE "C",
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, hash)
);

-- With kind and hash, so that a page of an owner's records is read in its order, however many there are.
CREATE INDEX IF NOT EXISTS records_by_client ON records (client_key, kind, hash) WHERE client_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_subject ON records (subject, kind, hash) WHERE subject IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_session ON records (session, kind, hash) WHERE session IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_family ON records (family, kind, hash) WHERE family IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_end ON records (expires_at) WHERE expires_at IS NOT NULL;
