-- Connections to outside services.

-- external_service_connections: OAuth connections, one a user and service. The second index counts connections
-- for the health page.
CREATE TABLE public.external_service_connections (
    id                uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    service_name      text        NOT NULL,
    connection_status text        DEFAULT 'disconnected',
    credentials       jsonb       DEFAULT '{}',
    settings          jsonb       DEFAULT '{}',
    last_sync_at      timestamptz,
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now(),
    UNIQUE (user_id, service_name)
);

CREATE INDEX external_service_connections_service_name_connection_status_idx
    ON public.external_service_connections (service_name, connection_status);

CREATE TRIGGER external_service_connections_set_updated_at
    BEFORE UPDATE ON public.external_service_connections
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER external_service_connections_set_user_id
    BEFORE INSERT ON public.external_service_connections
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.external_service_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.external_service_connections FORCE ROW LEVEL SECURITY;

-- Credentials are sealed envelopes that only the service opens: no client role selects, inserts or updates the
-- column. SELECT * therefore fails for client roles; name the columns.
GRANT SELECT (
        id, user_id, service_name, connection_status, settings, last_sync_at, created_at, updated_at
    ) ON public.external_service_connections TO authenticated;
GRANT DELETE ON public.external_service_connections TO authenticated;
GRANT INSERT (
        id, user_id, service_name, connection_status, settings, last_sync_at, created_at, updated_at
    ) ON public.external_service_connections TO authenticated;
GRANT UPDATE (
        id, user_id, service_name, connection_status, settings, last_sync_at, created_at, updated_at
    ) ON public.external_service_connections TO authenticated;
GRANT ALL ON public.external_service_connections TO service_role;

CREATE POLICY external_service_connections_select_own ON public.external_service_connections
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY external_service_connections_insert_own ON public.external_service_connections
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY external_service_connections_update_own ON public.external_service_connections
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY external_service_connections_delete_own ON public.external_service_connections
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY external_service_connections_select_admin ON public.external_service_connections
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY external_service_connections_insert_admin ON public.external_service_connections
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY external_service_connections_update_admin ON public.external_service_connections
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY external_service_connections_delete_admin ON public.external_service_connections
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- crm_connections: CRM keys; sync_settings also keeps the state of running syncs. One a user and provider, by
-- unique index.
CREATE TABLE public.crm_connections (
    id                uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    provider          text        NOT NULL,
    connection_status text        DEFAULT 'disconnected',
    credentials       jsonb       DEFAULT '{}',
    sync_settings     jsonb       DEFAULT '{}',
    last_sync_at      timestamptz,
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now()
);

CREATE UNIQUE INDEX crm_connections_user_id_provider_idx
    ON public.crm_connections (user_id, provider);

CREATE TRIGGER crm_connections_set_updated_at
    BEFORE UPDATE ON public.crm_connections
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER crm_connections_set_user_id
    BEFORE INSERT ON public.crm_connections
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.crm_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.crm_connections FORCE ROW LEVEL SECURITY;

-- Credentials are sealed envelopes that only the service opens: no client role selects, inserts or updates the
-- column. SELECT * therefore fails for client roles; name the columns.
GRANT SELECT (
        id, user_id, provider, connection_status, sync_settings, last_sync_at, created_at,
        updated_at
    ) ON public.crm_connections TO authenticated;
GRANT DELETE ON public.crm_connections TO authenticated;
GRANT INSERT (
        id, user_id, provider, connection_status, sync_settings, last_sync_at, created_at,
        updated_at
    ) ON public.crm_connections TO authenticated;
GRANT UPDATE (
        id, user_id, provider, connection_status, sync_settings, last_sync_at, created_at,
        updated_at
    ) ON public.crm_connections TO authenticated;
GRANT ALL ON public.crm_connections TO service_role;

CREATE POLICY crm_connections_select_own ON public.crm_connections
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY crm_connections_insert_own ON public.crm_connections
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY crm_connections_update_own ON public.crm_connections
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY crm_connections_delete_own ON public.crm_connections
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY crm_connections_select_admin ON public.crm_connections
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY crm_connections_insert_admin ON public.crm_connections
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY crm_connections_update_admin ON public.crm_connections
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY crm_connections_delete_admin ON public.crm_connections
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- integration_status: the last known state of each integration, and the job row of the platform sync.
CREATE TABLE public.integration_status (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    service          text        NOT NULL,
    status           text        NOT NULL,
    response_time_ms integer,
    last_checked     timestamptz DEFAULT now(),
    error_message    text,
    metadata         jsonb       DEFAULT '{}',
    UNIQUE (service)
);

ALTER TABLE public.integration_status ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.integration_status FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.integration_status TO authenticated;
GRANT ALL ON public.integration_status TO service_role;

CREATE POLICY integration_status_select_admin ON public.integration_status
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY integration_status_insert_admin ON public.integration_status
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY integration_status_update_admin ON public.integration_status
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY integration_status_delete_admin ON public.integration_status
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
