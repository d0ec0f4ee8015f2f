-- A column is called `hash` since `key` is a word of the language elsewhere.
CREATE TABLE records (
    kind TEXT NOT NULL,
    hash BLOB NOT NULL,
    revision INTEGER NOT NULL,
    client_id TEXT,
    subject TEXT,
    session TEXT,
    family TEXT,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER,
    document TEXT NOT NULL,
    UNIQUE (kind, hash)
) STRICT;

-- With kind and hash, so that a page of an owner's records is read in its order, however many there are.
CREATE INDEX records_by_client ON records (client_id, kind, hash) WHERE client_id IS NOT NULL;
CREATE INDEX records_by_subject ON records (subject, kind, hash) WHERE subject IS NOT NULL;
CREATE INDEX records_by_session ON records (session, kind, hash) WHERE session IS NOT NULL;
CREATE INDEX records_by_family ON records (family, kind, hash) WHERE family IS NOT NULL;
CREATE INDEX records_by_end ON records (expires_at) WHERE expires_at IS NOT NULL;
