-- Content: topics and packs that are published, and what users make of them.

-- content_topics: the platform's topics have no user_id. A user's own are drafts: private, until an
-- administrator publishes them. The trigger fills an owner only for users, since an administrator's topic is
-- the platform's.
CREATE TABLE public.content_topics (
    id                      uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    topic_name              text        NOT NULL,
    topic_key               text        NOT NULL,
    description             text,
    category                text        NOT NULL,
    prompts                 jsonb       DEFAULT '{}',
    is_active               boolean     DEFAULT true,
    created_at              timestamptz DEFAULT now(),
    updated_at              timestamptz DEFAULT now(),
    week_number             integer,
    social_feed_graphic_url text,
    social_feed_caption     text,
    social_hashtags         text,
    outreach_email_subject  text,
    outreach_email          text,
    outreach_call_script    text,
    outreach_dm_template    text,
    user_id                 text        REFERENCES public.profiles (id) ON DELETE CASCADE,
    is_public               boolean     DEFAULT false,
    UNIQUE (topic_key)
);

CREATE INDEX content_topics_user_id_idx
    ON public.content_topics (user_id);

CREATE INDEX content_topics_created_at_id_idx
    ON public.content_topics (created_at DESC, id DESC);

CREATE TRIGGER content_topics_set_updated_at
    BEFORE UPDATE ON public.content_topics
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER content_topics_set_user_id
    BEFORE INSERT ON public.content_topics
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL AND current_user = 'authenticated')
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.content_topics ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.content_topics FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.content_topics TO authenticated;
GRANT ALL ON public.content_topics TO service_role;

-- A draft that was published is no longer the user's to change.
CREATE POLICY content_topics_select_authenticated ON public.content_topics
    FOR SELECT TO authenticated
    USING (
        is_active
        AND (user_id IS NULL OR is_public)
        AND (SELECT edge.user_id()) IS NOT NULL
    );

CREATE POLICY content_topics_select_own ON public.content_topics
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY content_topics_insert_own ON public.content_topics
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()) AND is_public IS NOT TRUE);

CREATE POLICY content_topics_update_own ON public.content_topics
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()) AND is_public IS NOT TRUE)
    WITH CHECK (user_id = (SELECT edge.user_id()) AND is_public IS NOT TRUE);

CREATE POLICY content_topics_select_admin ON public.content_topics
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY content_topics_insert_admin ON public.content_topics
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY content_topics_update_admin ON public.content_topics
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY content_topics_delete_admin ON public.content_topics
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- content_packs: bundles of content on a topic.
CREATE TABLE public.content_packs (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    pack_name     text        NOT NULL,
    pack_key      text        NOT NULL,
    description   text,
    category      text        NOT NULL,
    is_active     boolean     DEFAULT true,
    is_premium    boolean     DEFAULT false,
    content_items jsonb       DEFAULT '[]',
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now(),
    topic_id      uuid        REFERENCES public.content_topics (id) ON DELETE SET NULL,
    UNIQUE (pack_key)
);

CREATE INDEX content_packs_topic_id_idx
    ON public.content_packs (topic_id);

CREATE INDEX content_packs_created_at_id_idx
    ON public.content_packs (created_at DESC, id DESC);

CREATE TRIGGER content_packs_set_updated_at
    BEFORE UPDATE ON public.content_packs
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.content_packs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.content_packs FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.content_packs TO authenticated;
GRANT ALL ON public.content_packs TO service_role;

CREATE POLICY content_packs_select_authenticated ON public.content_packs
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY content_packs_select_admin ON public.content_packs
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY content_packs_insert_admin ON public.content_packs
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY content_packs_update_admin ON public.content_packs
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY content_packs_delete_admin ON public.content_packs
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- featured_content_packs: what the start page shows.
CREATE TABLE public.featured_content_packs (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    title         text        NOT NULL,
    description   text,
    icon          text,
    category      text        NOT NULL,
    content_items jsonb       DEFAULT '[]',
    sort_order    integer     DEFAULT 0,
    is_active     boolean     DEFAULT true,
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now()
);

CREATE INDEX featured_content_packs_created_at_id_idx
    ON public.featured_content_packs (created_at DESC, id DESC);

CREATE TRIGGER featured_content_packs_set_updated_at
    BEFORE UPDATE ON public.featured_content_packs
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.featured_content_packs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.featured_content_packs FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.featured_content_packs TO authenticated;
GRANT ALL ON public.featured_content_packs TO service_role;

CREATE POLICY featured_content_packs_select_authenticated ON public.featured_content_packs
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY featured_content_packs_select_admin ON public.featured_content_packs
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY featured_content_packs_insert_admin ON public.featured_content_packs
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY featured_content_packs_update_admin ON public.featured_content_packs
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY featured_content_packs_delete_admin ON public.featured_content_packs
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- generated_content: texts and images a user had made.
CREATE TABLE public.generated_content (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id      text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    content_type text        NOT NULL,
    title        text,
    content      text        NOT NULL,
    metadata     jsonb       DEFAULT '{}',
    prompt_used  text,
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now()
);

CREATE INDEX generated_content_user_id_created_at_id_idx
    ON public.generated_content (user_id, created_at DESC, id DESC);

CREATE INDEX generated_content_created_at_idx
    ON public.generated_content (created_at);

CREATE TRIGGER generated_content_set_updated_at
    BEFORE UPDATE ON public.generated_content
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER generated_content_set_user_id
    BEFORE INSERT ON public.generated_content
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.generated_content ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.generated_content FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.generated_content TO authenticated;
GRANT ALL ON public.generated_content TO service_role;

CREATE POLICY generated_content_select_own ON public.generated_content
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY generated_content_insert_own ON public.generated_content
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY generated_content_update_own ON public.generated_content
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY generated_content_delete_own ON public.generated_content
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY generated_content_select_admin ON public.generated_content
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY generated_content_insert_admin ON public.generated_content
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY generated_content_update_admin ON public.generated_content
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY generated_content_delete_admin ON public.generated_content
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- Whose active palettes everybody sees: administrators and the system profile (by address, the oldest; else by
-- id). A definer's rights, because users read only their own rows of user_roles and profiles. Policies use it
-- as a sub-select, once a query.
CREATE FUNCTION edge.palette_publishers() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = ''
AS $$
    SELECT array_agg(publisher)
    FROM (
        SELECT user_id
        FROM public.user_roles
        WHERE role = 'admin'
        UNION
        (
            SELECT id
            FROM public.profiles
            WHERE lower(email) = 'system@pulse.ai'
            ORDER BY created_at, id
            LIMIT 1
        )
        UNION
        VALUES ('system')
    ) AS publishers (publisher)
$$;

GRANT CREATE ON SCHEMA edge TO service_role;
ALTER FUNCTION edge.palette_publishers() OWNER TO service_role;
REVOKE CREATE ON SCHEMA edge FROM service_role;

REVOKE ALL ON FUNCTION edge.palette_publishers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION edge.palette_publishers() TO authenticated, service_role;

-- brand_color_palettes: colours of a user's brand, and those that the platform offers.
CREATE TABLE public.brand_color_palettes (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    palette_name    text        NOT NULL,
    primary_color   text        NOT NULL,
    secondary_color text,
    accent_color    text,
    is_active       boolean     DEFAULT false,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now(),
    palette_id      text
);

CREATE INDEX brand_color_palettes_user_id_created_at_id_idx
    ON public.brand_color_palettes (user_id, created_at DESC, id DESC);

CREATE INDEX brand_color_palettes_palette_id_idx
    ON public.brand_color_palettes (palette_id);

CREATE TRIGGER brand_color_palettes_set_updated_at
    BEFORE UPDATE ON public.brand_color_palettes
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER brand_color_palettes_set_user_id
    BEFORE INSERT ON public.brand_color_palettes
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.brand_color_palettes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.brand_color_palettes FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.brand_color_palettes TO authenticated;
GRANT ALL ON public.brand_color_palettes TO service_role;

CREATE POLICY brand_color_palettes_select_own ON public.brand_color_palettes
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY brand_color_palettes_insert_own ON public.brand_color_palettes
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY brand_color_palettes_update_own ON public.brand_color_palettes
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY brand_color_palettes_delete_own ON public.brand_color_palettes
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY brand_color_palettes_select_authenticated ON public.brand_color_palettes
    FOR SELECT TO authenticated
    USING (
        is_active
        AND (SELECT edge.user_id()) IS NOT NULL
        AND user_id = ANY ((SELECT edge.palette_publishers())::text[])
    );

CREATE POLICY brand_color_palettes_select_admin ON public.brand_color_palettes
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY brand_color_palettes_insert_admin ON public.brand_color_palettes
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY brand_color_palettes_update_admin ON public.brand_color_palettes
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY brand_color_palettes_delete_admin ON public.brand_color_palettes
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
