-- The roles of the service and of its migrations, in the maintenance database. roles.py sets the variables. Running it
-- again changes nothing but the passwords, where those have changed.
DO $roles$
DECLARE
    app text := current_setting('roles.app');
    migrator text := current_setting('roles.migrator');
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[app, migrator] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        END IF;
    END LOOP;
    -- Only a member may do what these roles may, except for a superuser.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', migrator);
    END IF;
    EXECUTE format('ALTER ROLE %I PASSWORD %L', app, current_setting('roles.app_password'));
    -- A backup is restored into a new database, which then replaces the one that the service is connected to.
    EXECUTE format('ALTER ROLE %I CREATEDB PASSWORD %L', migrator, current_setting('roles.migrator_password'));
    IF pg_has_role(current_user, 'pg_signal_backend', 'MEMBER WITH ADMIN OPTION') THEN
        EXECUTE format('GRANT pg_signal_backend TO %I', migrator);
    END IF;
    -- The maintenance database only serves to create others: the service needs neither it nor a temporary table in it.
    IF pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), migrator);
    END IF;
END
$roles$;
