-- Who may do what in the service's database. Run as the superuser, by the socket; on RDS as its master user, by
-- roles.py. Running it again changes nothing but the passwords, where those have changed. Needs the psql variables
-- database, app, app_password, migrator and migrator_password.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
-- One that fails or is slow would stand in the log, and its password with it.
SELECT format('SET %s = %L', name, value)
FROM (VALUES ('log_min_error_statement', 'panic'), ('log_min_duration_statement', '-1')) AS setting (name, value)
WHERE has_parameter_privilege(current_user, name, 'SET') \gexec

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY[:'app', :'migrator']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

-- Who is no superuser may do what these may only as a member.
SELECT format('GRANT %I TO CURRENT_USER', :'migrator')
FROM pg_roles WHERE rolname = current_user AND NOT rolsuper \gexec

ALTER ROLE :"app" PASSWORD :'app_password';
-- A backup is restored into a new database, which then takes the place of the one that the service is connected to.
ALTER ROLE :"migrator" CREATEDB PASSWORD :'migrator_password';
SELECT format('GRANT pg_signal_backend TO %I', :'migrator')
WHERE pg_has_role(current_user, 'pg_signal_backend', 'MEMBER WITH ADMIN OPTION') \gexec

SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' LOCALE_PROVIDER builtin BUILTIN_LOCALE ''C.UTF-8''',
    :'database', :'migrator')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec

-- The database that is only there to create others from: the service has no business in it, nor a temporary table.
SELECT format(statement, current_database(), :'migrator')
FROM pg_database CROSS JOIN (VALUES ('REVOKE ALL ON DATABASE %1$I FROM PUBLIC'), ('GRANT CONNECT ON DATABASE %1$I TO %2$I'))
    AS each (statement)
WHERE datname = current_database() AND pg_has_role(current_user, datdba, 'USAGE') \gexec

ALTER DATABASE :"database" OWNER TO :"migrator";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"app";

\connect :"database"
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO :"migrator";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"app";
-- Alembic's own table, made before Alembic makes it: the service reads at which migration the database is, no more.
CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY);
ALTER TABLE alembic_version OWNER TO :"migrator";
GRANT SELECT ON alembic_version TO :"app";
-- On every other table, unless its migration takes a right away. Where the service got another role, none is there yet.
SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', oid::regclass, :'app')
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT has_table_privilege(:'app', oid, 'SELECT')
\gexec
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" IN SCHEMA public GRANT USAGE ON SEQUENCES TO :"app";
