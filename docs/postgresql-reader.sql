-- A role for `enroll serve --role authorization`: it reads clients, and can write nothing. Run by the owner of the
-- configuration database, after `enroll migrate`:
--
--   psql -v password=PASSWORD -f postgresql-reader.sql postgres://enroll@db.example/enroll_configuration

CREATE ROLE enroll_reader LOGIN PASSWORD :'password';
GRANT USAGE ON SCHEMA public TO enroll_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO enroll_reader;
-- Those of later versions as well.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO enroll_reader;
