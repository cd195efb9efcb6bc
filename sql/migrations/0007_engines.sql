-- PULSE, GANE and MORO: scores, their history, and the context that is built from them.

-- Tells live clients that a score or a context changed: channel edge_changes, payload {"table", "user_id",
-- "id"}. Sent on commit; equal payloads of one transaction arrive once. The row itself is not sent: whoever
-- listens reads it under the rights of the client it serves.
CREATE FUNCTION public.notify_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    PERFORM pg_notify(
        'edge_changes',
        json_build_object('table', TG_TABLE_NAME, 'user_id', NEW.user_id, 'id', NEW.id)::text
    );
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION public.notify_change() FROM PUBLIC;

-- pulse_engine_snapshots: written by computePulse as the service: a score cannot be forged.
CREATE TABLE public.pulse_engine_snapshots (
    id          uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     text         NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    score       numeric(5,2) NOT NULL,
    metrics     jsonb        NOT NULL DEFAULT '{}',
    computed_at timestamptz  NOT NULL DEFAULT now(),
    created_at  timestamptz  NOT NULL DEFAULT now(),
    CHECK (score >= 0 AND score <= 100)
);

CREATE INDEX pulse_engine_snapshots_user_id_computed_at_idx
    ON public.pulse_engine_snapshots (user_id, computed_at DESC);

CREATE TRIGGER pulse_engine_snapshots_notify_change
    AFTER INSERT OR UPDATE ON public.pulse_engine_snapshots
    FOR EACH ROW
    EXECUTE FUNCTION public.notify_change();

ALTER TABLE public.pulse_engine_snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pulse_engine_snapshots FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.pulse_engine_snapshots TO authenticated;
GRANT ALL ON public.pulse_engine_snapshots TO service_role;

CREATE POLICY pulse_engine_snapshots_select_own ON public.pulse_engine_snapshots
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_engine_snapshots_select_admin ON public.pulse_engine_snapshots
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- gane_engine_snapshots: written by computeGane.
CREATE TABLE public.gane_engine_snapshots (
    id          uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     text         NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    score       numeric(5,2) NOT NULL,
    metrics     jsonb        NOT NULL DEFAULT '{}',
    computed_at timestamptz  NOT NULL DEFAULT now(),
    created_at  timestamptz  NOT NULL DEFAULT now(),
    CHECK (score >= 0 AND score <= 100)
);

CREATE INDEX gane_engine_snapshots_user_id_computed_at_idx
    ON public.gane_engine_snapshots (user_id, computed_at DESC);

CREATE TRIGGER gane_engine_snapshots_notify_change
    AFTER INSERT OR UPDATE ON public.gane_engine_snapshots
    FOR EACH ROW
    EXECUTE FUNCTION public.notify_change();

ALTER TABLE public.gane_engine_snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.gane_engine_snapshots FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.gane_engine_snapshots TO authenticated;
GRANT ALL ON public.gane_engine_snapshots TO service_role;

CREATE POLICY gane_engine_snapshots_select_own ON public.gane_engine_snapshots
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY gane_engine_snapshots_select_admin ON public.gane_engine_snapshots
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- moro_engine_snapshots: written by computeMoro.
CREATE TABLE public.moro_engine_snapshots (
    id          uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     text         NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    score       numeric(5,2) NOT NULL,
    metrics     jsonb        NOT NULL DEFAULT '{}',
    computed_at timestamptz  NOT NULL DEFAULT now(),
    created_at  timestamptz  NOT NULL DEFAULT now(),
    CHECK (score >= 0 AND score <= 100)
);

CREATE INDEX moro_engine_snapshots_user_id_computed_at_idx
    ON public.moro_engine_snapshots (user_id, computed_at DESC);

CREATE TRIGGER moro_engine_snapshots_notify_change
    AFTER INSERT OR UPDATE ON public.moro_engine_snapshots
    FOR EACH ROW
    EXECUTE FUNCTION public.notify_change();

ALTER TABLE public.moro_engine_snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.moro_engine_snapshots FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.moro_engine_snapshots TO authenticated;
GRANT ALL ON public.moro_engine_snapshots TO service_role;

CREATE POLICY moro_engine_snapshots_select_own ON public.moro_engine_snapshots
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY moro_engine_snapshots_select_admin ON public.moro_engine_snapshots
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- graph_context_cache: the last context of a user. An expired row is still read (marked stale), so expiry does
-- not delete it; see purge_expired.
CREATE TABLE public.graph_context_cache (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    context    jsonb       NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id)
);

CREATE INDEX graph_context_cache_user_id_expires_at_idx
    ON public.graph_context_cache (user_id, expires_at);

CREATE INDEX graph_context_cache_expires_at_idx
    ON public.graph_context_cache (expires_at);

CREATE TRIGGER graph_context_cache_set_updated_at
    BEFORE UPDATE ON public.graph_context_cache
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER graph_context_cache_notify_change
    AFTER INSERT OR UPDATE ON public.graph_context_cache
    FOR EACH ROW
    EXECUTE FUNCTION public.notify_change();

ALTER TABLE public.graph_context_cache ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.graph_context_cache FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.graph_context_cache TO authenticated;
GRANT ALL ON public.graph_context_cache TO service_role;

CREATE POLICY graph_context_cache_select_own ON public.graph_context_cache
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY graph_context_cache_select_admin ON public.graph_context_cache
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- pulse_scores: one score a user and day.
CREATE TABLE public.pulse_scores (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    date             date        NOT NULL,
    overall_score    integer     NOT NULL,
    production_score integer,
    pipeline_score   integer,
    activities_score integer,
    systems_score    integer,
    mindset_score    integer,
    metrics          jsonb       DEFAULT '{}',
    created_at       timestamptz DEFAULT now(),
    UNIQUE (user_id, date)
);

CREATE INDEX pulse_scores_user_id_created_at_id_idx
    ON public.pulse_scores (user_id, created_at DESC, id DESC);

CREATE TRIGGER pulse_scores_set_user_id
    BEFORE INSERT ON public.pulse_scores
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.pulse_scores ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pulse_scores FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.pulse_scores TO authenticated;
GRANT ALL ON public.pulse_scores TO service_role;

CREATE POLICY pulse_scores_select_own ON public.pulse_scores
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_scores_insert_own ON public.pulse_scores
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_scores_update_own ON public.pulse_scores
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_scores_delete_own ON public.pulse_scores
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_scores_select_admin ON public.pulse_scores
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY pulse_scores_insert_admin ON public.pulse_scores
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY pulse_scores_update_admin ON public.pulse_scores
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY pulse_scores_delete_admin ON public.pulse_scores
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- pulse_config: a user's own weights.
CREATE TABLE public.pulse_config (
    id                  uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id             text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    weight_prospecting  numeric     DEFAULT 0.25,
    weight_listing      numeric     DEFAULT 0.25,
    weight_transaction  numeric     DEFAULT 0.25,
    weight_relationship numeric     DEFAULT 0.25,
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now(),
    UNIQUE (user_id)
);

CREATE TRIGGER pulse_config_set_updated_at
    BEFORE UPDATE ON public.pulse_config
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER pulse_config_set_user_id
    BEFORE INSERT ON public.pulse_config
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.pulse_config ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pulse_config FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.pulse_config TO authenticated;
GRANT ALL ON public.pulse_config TO service_role;

CREATE POLICY pulse_config_select_own ON public.pulse_config
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_config_insert_own ON public.pulse_config
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_config_update_own ON public.pulse_config
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_config_delete_own ON public.pulse_config
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY pulse_config_select_admin ON public.pulse_config
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY pulse_config_insert_admin ON public.pulse_config
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY pulse_config_update_admin ON public.pulse_config
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY pulse_config_delete_admin ON public.pulse_config
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
