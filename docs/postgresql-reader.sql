-- A role for `enroll serve --role authorization`: it reads clients, and can write nothing. Run after `enroll migrate` by an
-- administrator of the server, since the owner of a database may make no roles:
--
--   psql -v password=PASSWORD -f postgresql-reader.sql postgres://postgres@db.example/enroll_configuration

\set ON_ERROR_STOP on
CREATE ROLE enroll_reader LOGIN PASSWORD :'password';
GRANT USAGE ON SCHEMA public TO enroll_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO enroll_reader;
-- Those of later versions as well, which the owner makes.
ALTER DEFAULT PRIVILEGES FOR ROLE enroll IN SCHEMA public GRANT SELECT ON TABLES TO enroll_reader;
