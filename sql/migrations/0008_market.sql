-- A user's territory and the figures fetched for it.

-- market_config: the territory; MORO is computed from it.
CREATE TABLE public.market_config (
    id              uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         text          NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    market_name     text          NOT NULL,
    state           text,
    city            text,
    average_price   numeric(12,2),
    median_dom      integer,
    inventory_level text,
    market_trend    text,
    created_at      timestamptz   DEFAULT now(),
    updated_at      timestamptz   DEFAULT now(),
    UNIQUE (user_id)
);

CREATE TRIGGER market_config_set_updated_at
    BEFORE UPDATE ON public.market_config
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER market_config_set_user_id
    BEFORE INSERT ON public.market_config
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.market_config ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.market_config FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.market_config TO authenticated;
GRANT ALL ON public.market_config TO service_role;

CREATE POLICY market_config_select_own ON public.market_config
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY market_config_insert_own ON public.market_config
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY market_config_update_own ON public.market_config
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY market_config_delete_own ON public.market_config
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY market_config_select_admin ON public.market_config
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY market_config_insert_admin ON public.market_config
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY market_config_update_admin ON public.market_config
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY market_config_delete_admin ON public.market_config
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- market_data: fetched figures, one row a user and geography. Rows of any age stay: they are the fallback when
-- the provider fails.
CREATE TABLE public.market_data (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    geography_type text,
    geography_id   text,
    geography_name text,
    raw_data       jsonb       NOT NULL DEFAULT '{}',
    data_date      timestamptz DEFAULT now(),
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now(),
    UNIQUE (user_id, geography_id)
);

CREATE INDEX market_data_user_id_created_at_id_idx
    ON public.market_data (user_id, created_at DESC, id DESC);

CREATE INDEX market_data_data_date_idx
    ON public.market_data (data_date DESC);

CREATE TRIGGER market_data_set_updated_at
    BEFORE UPDATE ON public.market_data
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER market_data_set_user_id
    BEFORE INSERT ON public.market_data
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.market_data ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.market_data FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.market_data TO authenticated;
GRANT ALL ON public.market_data TO service_role;

CREATE POLICY market_data_select_own ON public.market_data
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY market_data_insert_own ON public.market_data
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY market_data_update_own ON public.market_data
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY market_data_delete_own ON public.market_data
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY market_data_select_admin ON public.market_data
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY market_data_insert_admin ON public.market_data
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY market_data_update_admin ON public.market_data
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY market_data_delete_admin ON public.market_data
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- market_intelligence: digested figures and their reading.
CREATE TABLE public.market_intelligence (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    market_name   text        NOT NULL,
    data_snapshot jsonb       DEFAULT '{}',
    insights      jsonb       DEFAULT '{}',
    refreshed_at  timestamptz DEFAULT now(),
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now()
);

CREATE INDEX market_intelligence_user_id_created_at_id_idx
    ON public.market_intelligence (user_id, created_at DESC, id DESC);

CREATE TRIGGER market_intelligence_set_updated_at
    BEFORE UPDATE ON public.market_intelligence
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER market_intelligence_set_user_id
    BEFORE INSERT ON public.market_intelligence
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.market_intelligence ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.market_intelligence FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.market_intelligence TO authenticated;
GRANT ALL ON public.market_intelligence TO service_role;

CREATE POLICY market_intelligence_select_own ON public.market_intelligence
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY market_intelligence_insert_own ON public.market_intelligence
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY market_intelligence_update_own ON public.market_intelligence
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY market_intelligence_delete_own ON public.market_intelligence
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY market_intelligence_select_admin ON public.market_intelligence
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY market_intelligence_insert_admin ON public.market_intelligence
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY market_intelligence_update_admin ON public.market_intelligence
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY market_intelligence_delete_admin ON public.market_intelligence
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
