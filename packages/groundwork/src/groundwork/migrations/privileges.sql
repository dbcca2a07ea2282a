-- The privileges of both roles in the service's database. roles.py sets the variables. Running it again changes nothing.
DO $privileges$
DECLARE
    app text := current_setting('roles.app');
    migrator text := current_setting('roles.migrator');
    relation regclass;
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), migrator);
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), app);
    EXECUTE format('ALTER SCHEMA public OWNER TO %I', migrator);
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', app);
    -- Alembic's table, created before Alembic does it: the service may only read the revision of the database.
    CREATE TABLE IF NOT EXISTS alembic_version (
        version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
    );
    EXECUTE format('ALTER TABLE alembic_version OWNER TO %I', migrator);
    EXECUTE format('GRANT SELECT ON alembic_version TO %I', app);
    -- All other tables, unless a migration revokes a privilege. A service with a new role has none yet.
    FOR relation IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT has_table_privilege(app, oid, 'SELECT')
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', relation, app);
    END LOOP;
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %I', app);
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public '
        'GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', migrator, app);
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT USAGE ON SEQUENCES TO %I', migrator, app);
END
$privileges$;
