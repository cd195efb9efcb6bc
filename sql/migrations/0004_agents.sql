-- The AI agents of a user: their configuration, what they were told and what they know.

-- agent_config: one row a user and agent. The two generated columns carry the names under which screens read
-- the phone line.
CREATE TABLE public.agent_config (
    id                           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                      text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    agent_type                   text        NOT NULL,
    voice_id                     text,
    voice_name                   text,
    personality_traits           text[]      DEFAULT '{}',
    response_style               text        DEFAULT 'professional',
    enabled                      boolean     DEFAULT true,
    created_at                   timestamptz DEFAULT now(),
    updated_at                   timestamptz DEFAULT now(),
    settings                     jsonb       NOT NULL DEFAULT '{}',
    eleven_labs_agent_id         text,
    eleven_labs_phone_number_id  text,
    eleven_labs_voice_id         text,
    twilio_phone_number          text        GENERATED ALWAYS AS (settings ->> 'twilio_phone_number') STORED,
    eleven_labs_twilio_number_id text        GENERATED ALWAYS AS (eleven_labs_phone_number_id) STORED,
    UNIQUE (user_id, agent_type)
);

CREATE TRIGGER agent_config_set_updated_at
    BEFORE UPDATE ON public.agent_config
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER agent_config_set_user_id
    BEFORE INSERT ON public.agent_config
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.agent_config ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.agent_config FORCE ROW LEVEL SECURITY;

-- settings and the three eleven_labs_* columns name phone lines: a user who could write them would dial through
-- somebody else's.
GRANT SELECT, DELETE ON public.agent_config TO authenticated;
GRANT INSERT (
        id, user_id, agent_type, voice_id, voice_name, personality_traits, response_style, enabled,
        created_at, updated_at
    ) ON public.agent_config TO authenticated;
GRANT UPDATE (
        id, user_id, agent_type, voice_id, voice_name, personality_traits, response_style, enabled,
        created_at, updated_at
    ) ON public.agent_config TO authenticated;
GRANT ALL ON public.agent_config TO service_role;

CREATE POLICY agent_config_select_own ON public.agent_config
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_config_insert_own ON public.agent_config
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_config_update_own ON public.agent_config
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_config_delete_own ON public.agent_config
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_config_select_admin ON public.agent_config
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY agent_config_insert_admin ON public.agent_config
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY agent_config_update_admin ON public.agent_config
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY agent_config_delete_admin ON public.agent_config
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- agent_intelligence_profiles: the survey about a user's experience and business.
CREATE TABLE public.agent_intelligence_profiles (
    id                         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                    text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    experience_level           text,
    work_commitment            text,
    business_structure         text,
    database_size              text,
    sphere_warmth              text,
    previous_year_transactions integer,
    previous_year_volume       bigint,
    average_price_point        text,
    business_consistency       text,
    biggest_challenges         text[],
    growth_timeline            text,
    learning_preference        text,
    survey_completed_at        timestamptz,
    created_at                 timestamptz DEFAULT now(),
    updated_at                 timestamptz DEFAULT now(),
    UNIQUE (user_id)
);

CREATE TRIGGER agent_intelligence_profiles_set_updated_at
    BEFORE UPDATE ON public.agent_intelligence_profiles
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER agent_intelligence_profiles_set_user_id
    BEFORE INSERT ON public.agent_intelligence_profiles
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.agent_intelligence_profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.agent_intelligence_profiles FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.agent_intelligence_profiles TO authenticated;
GRANT ALL ON public.agent_intelligence_profiles TO service_role;

CREATE POLICY agent_intelligence_profiles_select_own ON public.agent_intelligence_profiles
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_intelligence_profiles_insert_own ON public.agent_intelligence_profiles
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_intelligence_profiles_update_own ON public.agent_intelligence_profiles
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_intelligence_profiles_delete_own ON public.agent_intelligence_profiles
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_intelligence_profiles_select_admin ON public.agent_intelligence_profiles
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY agent_intelligence_profiles_insert_admin ON public.agent_intelligence_profiles
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY agent_intelligence_profiles_update_admin ON public.agent_intelligence_profiles
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY agent_intelligence_profiles_delete_admin ON public.agent_intelligence_profiles
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- agent_voices: voices to choose from; everybody signed in sees all of them, owners change their own.
CREATE TABLE public.agent_voices (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    agent_type     text        NOT NULL,
    voice_id       text,
    voice_name     text,
    voice_settings jsonb       DEFAULT '{}',
    is_default     boolean     DEFAULT false,
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now()
);

CREATE INDEX agent_voices_user_id_idx
    ON public.agent_voices (user_id);

CREATE INDEX agent_voices_voice_id_idx
    ON public.agent_voices (voice_id);

CREATE INDEX agent_voices_created_at_id_idx
    ON public.agent_voices (created_at DESC, id DESC);

CREATE TRIGGER agent_voices_set_updated_at
    BEFORE UPDATE ON public.agent_voices
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER agent_voices_set_user_id
    BEFORE INSERT ON public.agent_voices
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.agent_voices ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.agent_voices FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.agent_voices TO authenticated;
GRANT ALL ON public.agent_voices TO service_role;

CREATE POLICY agent_voices_select_authenticated ON public.agent_voices
    FOR SELECT TO authenticated
    USING ((SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY agent_voices_update_own ON public.agent_voices
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY agent_voices_select_admin ON public.agent_voices
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY agent_voices_insert_admin ON public.agent_voices
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY agent_voices_update_admin ON public.agent_voices
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY agent_voices_delete_admin ON public.agent_voices
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- user_guidelines: standing instructions to an agent, read oldest first.
CREATE TABLE public.user_guidelines (
    id                 uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id            text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    agent_type         text        NOT NULL,
    guideline_category text        NOT NULL,
    guideline_text     text        NOT NULL,
    guideline_type     text        NOT NULL,
    created_at         timestamptz DEFAULT now(),
    updated_at         timestamptz DEFAULT now()
);

CREATE INDEX user_guidelines_user_id_agent_type_created_at_idx
    ON public.user_guidelines (user_id, agent_type, created_at);

CREATE INDEX user_guidelines_user_id_created_at_id_idx
    ON public.user_guidelines (user_id, created_at DESC, id DESC);

CREATE TRIGGER user_guidelines_set_updated_at
    BEFORE UPDATE ON public.user_guidelines
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER user_guidelines_set_user_id
    BEFORE INSERT ON public.user_guidelines
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.user_guidelines ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_guidelines FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.user_guidelines TO authenticated;
GRANT ALL ON public.user_guidelines TO service_role;

CREATE POLICY user_guidelines_select_own ON public.user_guidelines
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_guidelines_insert_own ON public.user_guidelines
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_guidelines_update_own ON public.user_guidelines
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_guidelines_delete_own ON public.user_guidelines
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_guidelines_select_admin ON public.user_guidelines
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY user_guidelines_insert_admin ON public.user_guidelines
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_guidelines_update_admin ON public.user_guidelines
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_guidelines_delete_admin ON public.user_guidelines
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- user_knowledge: what an agent should know, read newest first.
CREATE TABLE public.user_knowledge (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    agent_type     text        NOT NULL,
    knowledge_type text        NOT NULL,
    title          text        NOT NULL,
    content        text        NOT NULL,
    metadata       jsonb       DEFAULT '{}',
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now()
);

CREATE INDEX user_knowledge_user_id_agent_type_updated_at_idx
    ON public.user_knowledge (user_id, agent_type, updated_at DESC);

CREATE INDEX user_knowledge_user_id_created_at_id_idx
    ON public.user_knowledge (user_id, created_at DESC, id DESC);

CREATE TRIGGER user_knowledge_set_updated_at
    BEFORE UPDATE ON public.user_knowledge
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER user_knowledge_set_user_id
    BEFORE INSERT ON public.user_knowledge
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.user_knowledge ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_knowledge FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.user_knowledge TO authenticated;
GRANT ALL ON public.user_knowledge TO service_role;

CREATE POLICY user_knowledge_select_own ON public.user_knowledge
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_knowledge_insert_own ON public.user_knowledge
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_knowledge_update_own ON public.user_knowledge
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_knowledge_delete_own ON public.user_knowledge
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_knowledge_select_admin ON public.user_knowledge
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY user_knowledge_insert_admin ON public.user_knowledge
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_knowledge_update_admin ON public.user_knowledge
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_knowledge_delete_admin ON public.user_knowledge
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
