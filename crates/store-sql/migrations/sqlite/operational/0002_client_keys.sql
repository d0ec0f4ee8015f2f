-- The same key as in the configuration.
ALTER TABLE records ADD COLUMN client_key TEXT;

UPDATE records SET client_key = client_key_of(client_id) WHERE client_id IS NOT NULL;

DROP INDEX records_by_client;
CREATE INDEX records_by_client ON records (client_key, kind, hash) WHERE client_key IS NOT NULL;
