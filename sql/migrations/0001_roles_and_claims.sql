-- Roles, and how a caller reaches SQL.
--
-- The runtime logs in as edge_runtime, which has no rights of its own, and takes one of four roles for each
-- transaction: anon, authenticated, edge_admin or service_role. Who the caller is travels beside the role, as
-- a JSON setting that ends with the transaction: request.jwt.claims. Policies read it through the functions
-- below.
--
-- edge_admin is authenticated with administrators' policies on top: it is a member that inherits, so every
-- grant to and policy for authenticated holds for it, too. It is a role of its own for the sake of everybody
-- else. PostgreSQL joins the policies that apply to a role with OR, and an OR of "own rows" and "an
-- administrator" keeps an index from returning a user's rows in order; docs/decisions.md has the figures.

-- Roles belong to the cluster and several databases may be migrated at the same time, so a role that exists is
-- fine, and so is one that another session creates between the look and the CREATE. On a server where the owner
-- may not create roles, an administrator creates the five beforehand and this block has nothing to do.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES
            ('anon', 'NOLOGIN NOINHERIT'),
            ('authenticated', 'NOLOGIN NOINHERIT'),
            ('edge_admin', 'NOLOGIN INHERIT'),
            ('service_role', 'NOLOGIN NOINHERIT BYPASSRLS'),
            ('edge_runtime', 'LOGIN NOINHERIT')
        ) AS roles (name, attributes)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL;
            END;
        END IF;
    END LOOP;
END
$$;

-- The login's memberships come without inheritance: until it says SET ROLE, it can do nothing. Granted only
-- where it is missing, because two sessions granting the same membership would trip over one catalogue row.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES
            ('authenticated', 'edge_admin'),
            ('anon', 'edge_runtime'),
            ('authenticated', 'edge_runtime'),
            ('edge_admin', 'edge_runtime'),
            ('service_role', 'edge_runtime')
        ) AS memberships (role, member)
    LOOP
        IF NOT EXISTS (
            SELECT
            FROM pg_auth_members AS m
            WHERE m.roleid = wanted.role::regrole
                AND m.member = wanted.member::regrole
        ) THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', wanted.role, wanted.member);
            EXCEPTION
                WHEN unique_violation THEN
                    NULL;
            END;
        END IF;
    END LOOP;
END
$$;

-- TEMPORARY because imports stage a file in a temporary table, as the caller and as the service.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO edge_runtime', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO authenticated, service_role', current_database());
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;

-- The runtime's own schema. Client roles may enter it to call the functions that policies use, and have no
-- right on any of its tables. `edge migrate` creates schema and table before the first file; a database built
-- by hand gets them here.
CREATE SCHEMA IF NOT EXISTS edge;
REVOKE ALL ON SCHEMA edge FROM PUBLIC;
GRANT USAGE ON SCHEMA edge TO anon, authenticated, service_role;

CREATE TABLE IF NOT EXISTS edge.migrations (
    version     text PRIMARY KEY,
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    duration_ms integer NOT NULL
);
GRANT SELECT ON edge.migrations TO service_role;

-- The caller's claims, or NULL when there are none. A connection that once held the setting reads it as ''
-- after the transaction ended, hence nullif.
--
-- This function and edge.user_id have bodies in SQL-standard form: names in them are bound when they are
-- created, so no search_path can redirect them, and the planner can still expand them in place. With a SET
-- clause each would be a call that switches a setting, in every query.
CREATE FUNCTION edge.claims() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('request.jwt.claims', true), '')::jsonb;

-- The caller's id, or NULL for nobody. Policies write (SELECT edge.user_id()): as a sub-select it is evaluated
-- once a query and its result can be looked up in an index; bare, it would run for every row.
CREATE FUNCTION edge.user_id() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(edge.claims() ->> 'sub', '');

REVOKE ALL ON FUNCTION edge.claims(), edge.user_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION edge.claims(), edge.user_id() TO anon, authenticated, service_role;

-- BEFORE UPDATE on every table that has the column. Never on insert: imports keep the dates of the rows they
-- bring.
CREATE FUNCTION public.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- BEFORE INSERT on tables that users write to: a row without an owner becomes the caller's. Row security then
-- checks the filled-in value like any other. Fired WHEN user_id is missing only, so other rows do not pay for
-- the call.
CREATE FUNCTION public.set_user_id() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    NEW.user_id := edge.user_id();
    RETURN NEW;
END
$$;

REVOKE ALL ON FUNCTION public.set_updated_at(), public.set_user_id() FROM PUBLIC;
