-- The row of a deleted client stays, without its document, so that one unique index keeps every identifier from being
-- given again: a table of its own could not do that between two nodes.
ALTER TABLE clients ADD COLUMN deleted_at INTEGER;
