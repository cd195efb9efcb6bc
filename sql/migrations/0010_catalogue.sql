-- Catalogue: what administrators maintain and everybody signed in reads while it is active. The tables are
-- small and read whole; the index is for lists, newest first.

-- ai_prompt_configs: prompt texts by key.
CREATE TABLE public.ai_prompt_configs (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    prompt_key      text        NOT NULL,
    prompt_name     text        NOT NULL,
    prompt_template text        NOT NULL,
    category        text        NOT NULL,
    variables       jsonb       DEFAULT '[]',
    is_active       boolean     DEFAULT true,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now(),
    UNIQUE (prompt_key)
);

CREATE INDEX ai_prompt_configs_created_at_id_idx
    ON public.ai_prompt_configs (created_at DESC, id DESC);

CREATE TRIGGER ai_prompt_configs_set_updated_at
    BEFORE UPDATE ON public.ai_prompt_configs
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.ai_prompt_configs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.ai_prompt_configs FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.ai_prompt_configs TO authenticated;
GRANT ALL ON public.ai_prompt_configs TO service_role;

CREATE POLICY ai_prompt_configs_select_authenticated ON public.ai_prompt_configs
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY ai_prompt_configs_select_admin ON public.ai_prompt_configs
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY ai_prompt_configs_insert_admin ON public.ai_prompt_configs
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY ai_prompt_configs_update_admin ON public.ai_prompt_configs
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY ai_prompt_configs_delete_admin ON public.ai_prompt_configs
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- feature_flags: switches; target_users is hidden from clients by the functions, not here.
CREATE TABLE public.feature_flags (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    flag_key     text        NOT NULL,
    flag_name    text        NOT NULL,
    description  text,
    is_enabled   boolean     DEFAULT false,
    target_users jsonb       DEFAULT '[]',
    config       jsonb       DEFAULT '{}',
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now(),
    UNIQUE (flag_key)
);

CREATE INDEX feature_flags_created_at_id_idx
    ON public.feature_flags (created_at DESC, id DESC);

CREATE TRIGGER feature_flags_set_updated_at
    BEFORE UPDATE ON public.feature_flags
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.feature_flags ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.feature_flags FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.feature_flags TO authenticated;
GRANT ALL ON public.feature_flags TO service_role;

CREATE POLICY feature_flags_select_authenticated ON public.feature_flags
    FOR SELECT TO authenticated
    USING ((SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY feature_flags_select_admin ON public.feature_flags
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY feature_flags_insert_admin ON public.feature_flags
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY feature_flags_update_admin ON public.feature_flags
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY feature_flags_delete_admin ON public.feature_flags
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- legal_documents: terms and policies; the one table that a visitor without a session reads.
CREATE TABLE public.legal_documents (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    document_type  text        NOT NULL,
    document_key   text        NOT NULL,
    title          text        NOT NULL,
    content        text        NOT NULL,
    version        text        DEFAULT '1.0',
    effective_date date,
    is_active      boolean     DEFAULT true,
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now(),
    UNIQUE (document_key)
);

CREATE INDEX legal_documents_created_at_id_idx
    ON public.legal_documents (created_at DESC, id DESC);

CREATE TRIGGER legal_documents_set_updated_at
    BEFORE UPDATE ON public.legal_documents
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.legal_documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.legal_documents FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.legal_documents TO authenticated;
GRANT SELECT ON public.legal_documents TO anon;
GRANT ALL ON public.legal_documents TO service_role;

CREATE POLICY legal_documents_select_anon ON public.legal_documents
    FOR SELECT TO anon
    USING (is_active);

CREATE POLICY legal_documents_select_authenticated ON public.legal_documents
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY legal_documents_select_admin ON public.legal_documents
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY legal_documents_insert_admin ON public.legal_documents
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY legal_documents_update_admin ON public.legal_documents
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY legal_documents_delete_admin ON public.legal_documents
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- task_templates: what daily actions are made from. trigger_value and trigger_max bound a score range.
CREATE TABLE public.task_templates (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    title            text        NOT NULL,
    description      text,
    category         text        NOT NULL,
    action_type      text        NOT NULL,
    priority         text        DEFAULT 'medium',
    trigger_type     text        NOT NULL,
    trigger_value    integer,
    impact_area      text,
    display_category text,
    priority_weight  integer     DEFAULT 3,
    is_active        boolean     DEFAULT true,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    trigger_max      integer
);

CREATE INDEX task_templates_created_at_id_idx
    ON public.task_templates (created_at DESC, id DESC);

CREATE TRIGGER task_templates_set_updated_at
    BEFORE UPDATE ON public.task_templates
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.task_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.task_templates FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.task_templates TO authenticated;
GRANT ALL ON public.task_templates TO service_role;

CREATE POLICY task_templates_select_authenticated ON public.task_templates
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY task_templates_select_admin ON public.task_templates
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY task_templates_insert_admin ON public.task_templates
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY task_templates_update_admin ON public.task_templates
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY task_templates_delete_admin ON public.task_templates
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- objection_scripts: answers to common objections.
CREATE TABLE public.objection_scripts (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    title      text        NOT NULL,
    category   text        NOT NULL,
    difficulty text        NOT NULL,
    situation  text        NOT NULL,
    response   text        NOT NULL,
    tips       text[]      DEFAULT '{}',
    is_free    boolean     DEFAULT true,
    is_popular boolean     DEFAULT false,
    is_active  boolean     DEFAULT true,
    sort_order integer     DEFAULT 0,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);

CREATE INDEX objection_scripts_created_at_id_idx
    ON public.objection_scripts (created_at DESC, id DESC);

CREATE TRIGGER objection_scripts_set_updated_at
    BEFORE UPDATE ON public.objection_scripts
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.objection_scripts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.objection_scripts FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.objection_scripts TO authenticated;
GRANT ALL ON public.objection_scripts TO service_role;

CREATE POLICY objection_scripts_select_authenticated ON public.objection_scripts
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY objection_scripts_select_admin ON public.objection_scripts
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY objection_scripts_insert_admin ON public.objection_scripts
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY objection_scripts_update_admin ON public.objection_scripts
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY objection_scripts_delete_admin ON public.objection_scripts
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- client_personas: whom role play can be with.
CREATE TABLE public.client_personas (
    id                    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    persona_key           text        NOT NULL,
    persona_name          text        NOT NULL,
    description           text,
    personality_traits    text[]      DEFAULT '{}',
    communication_style   text,
    objection_patterns    text[]      DEFAULT '{}',
    decision_making_style text,
    is_active             boolean     DEFAULT true,
    created_at            timestamptz DEFAULT now(),
    updated_at            timestamptz DEFAULT now(),
    UNIQUE (persona_key)
);

CREATE INDEX client_personas_created_at_id_idx
    ON public.client_personas (created_at DESC, id DESC);

CREATE TRIGGER client_personas_set_updated_at
    BEFORE UPDATE ON public.client_personas
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.client_personas ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.client_personas FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.client_personas TO authenticated;
GRANT ALL ON public.client_personas TO service_role;

CREATE POLICY client_personas_select_authenticated ON public.client_personas
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY client_personas_select_admin ON public.client_personas
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY client_personas_insert_admin ON public.client_personas
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY client_personas_update_admin ON public.client_personas
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY client_personas_delete_admin ON public.client_personas
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
