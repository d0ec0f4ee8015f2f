-- Clients are found by a key, since an identifier may be longer than an index of other engines takes. The document holds
-- the identifier itself. A constraint of a column cannot be dropped, so the table is made anew.
CREATE TABLE clients_by_key (
    client_key TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    document TEXT NOT NULL,
    deleted_at INTEGER
) STRICT;

INSERT INTO clients_by_key (client_key, revision, issued_at, enabled, document, deleted_at)
    SELECT client_key_of(client_id), revision, issued_at, enabled, document, deleted_at FROM clients ORDER BY rowid;

DROP TABLE clients;
ALTER TABLE clients_by_key RENAME TO clients;
