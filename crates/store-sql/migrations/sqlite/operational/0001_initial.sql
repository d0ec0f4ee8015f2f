-- One table for all that the authorization server remembers: one to write, one to sweep.
CREATE TABLE records (
    kind TEXT NOT NULL,
    record_key BLOB NOT NULL,
    revision INTEGER NOT NULL,
    client_id TEXT,
    subject TEXT,
    session_id TEXT,
    family TEXT,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER,
    document TEXT NOT NULL,
    UNIQUE (kind, record_key)
) STRICT;

CREATE INDEX records_client ON records (client_id);
CREATE INDEX records_subject ON records (subject);
CREATE INDEX records_session ON records (session_id);
CREATE INDEX records_family ON records (family);
CREATE INDEX records_expiry ON records (expires_at);
