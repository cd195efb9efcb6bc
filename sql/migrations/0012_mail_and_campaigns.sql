-- Mail: templates, campaigns, and the log that also decides that a mail goes out once.

-- campaign_templates: contact lists to start a campaign from; the newest active one is handed out.
CREATE TABLE public.campaign_templates (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    file_name  text        NOT NULL,
    file_uri   text        NOT NULL,
    is_active  boolean     DEFAULT true,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);

CREATE INDEX campaign_templates_created_at_id_idx
    ON public.campaign_templates (created_at DESC, id DESC);

CREATE INDEX campaign_templates_updated_at_id_idx
    ON public.campaign_templates (updated_at DESC, id DESC)
    WHERE is_active;

CREATE TRIGGER campaign_templates_set_updated_at
    BEFORE UPDATE ON public.campaign_templates
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.campaign_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.campaign_templates FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.campaign_templates TO authenticated;
GRANT ALL ON public.campaign_templates TO service_role;

CREATE POLICY campaign_templates_select_authenticated ON public.campaign_templates
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY campaign_templates_select_admin ON public.campaign_templates
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY campaign_templates_insert_admin ON public.campaign_templates
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY campaign_templates_update_admin ON public.campaign_templates
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY campaign_templates_delete_admin ON public.campaign_templates
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- email_templates: catalogue; a missing one falls back to the built-in layout.
CREATE TABLE public.email_templates (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    template_key  text        NOT NULL,
    template_name text        NOT NULL,
    subject       text        NOT NULL,
    body_html     text        NOT NULL,
    body_text     text,
    category      text        NOT NULL,
    variables     jsonb       DEFAULT '[]',
    is_active     boolean     DEFAULT true,
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now(),
    UNIQUE (template_key)
);

CREATE INDEX email_templates_created_at_id_idx
    ON public.email_templates (created_at DESC, id DESC);

CREATE TRIGGER email_templates_set_updated_at
    BEFORE UPDATE ON public.email_templates
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.email_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.email_templates FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.email_templates TO authenticated;
GRANT ALL ON public.email_templates TO service_role;

CREATE POLICY email_templates_select_authenticated ON public.email_templates
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY email_templates_select_admin ON public.email_templates
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY email_templates_insert_admin ON public.email_templates
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY email_templates_update_admin ON public.email_templates
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY email_templates_delete_admin ON public.email_templates
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- email_campaigns: a user's campaigns.
CREATE TABLE public.email_campaigns (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    campaign_name text        NOT NULL,
    template_id   uuid        REFERENCES public.email_templates (id) ON DELETE SET NULL,
    status        text        DEFAULT 'draft',
    recipients    jsonb       DEFAULT '[]',
    scheduled_at  timestamptz,
    sent_at       timestamptz,
    metrics       jsonb       DEFAULT '{}',
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now()
);

CREATE INDEX email_campaigns_user_id_created_at_id_idx
    ON public.email_campaigns (user_id, created_at DESC, id DESC);

CREATE INDEX email_campaigns_template_id_idx
    ON public.email_campaigns (template_id);

CREATE TRIGGER email_campaigns_set_updated_at
    BEFORE UPDATE ON public.email_campaigns
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER email_campaigns_set_user_id
    BEFORE INSERT ON public.email_campaigns
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.email_campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.email_campaigns FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.email_campaigns TO authenticated;
GRANT ALL ON public.email_campaigns TO service_role;

CREATE POLICY email_campaigns_select_own ON public.email_campaigns
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY email_campaigns_insert_own ON public.email_campaigns
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY email_campaigns_update_own ON public.email_campaigns
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY email_campaigns_delete_own ON public.email_campaigns
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY email_campaigns_select_admin ON public.email_campaigns
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY email_campaigns_insert_admin ON public.email_campaigns
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY email_campaigns_update_admin ON public.email_campaigns
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY email_campaigns_delete_admin ON public.email_campaigns
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- email_delivery_logs: ids are made from type, user and period, so the primary key is the claim on sending.
-- sent_at is NULL until it was sent, user_id for mails to nobody in particular, which administrators see.
CREATE TABLE public.email_delivery_logs (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id      text        REFERENCES public.profiles (id) ON DELETE CASCADE,
    email_type   text        NOT NULL,
    template_key text,
    sent_at      timestamptz DEFAULT now(),
    metadata     jsonb       DEFAULT '{}'
);

CREATE INDEX email_delivery_logs_user_id_email_type_sent_at_idx
    ON public.email_delivery_logs (user_id, email_type, sent_at);

ALTER TABLE public.email_delivery_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.email_delivery_logs FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.email_delivery_logs TO authenticated;
GRANT ALL ON public.email_delivery_logs TO service_role;

CREATE POLICY email_delivery_logs_select_own ON public.email_delivery_logs
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY email_delivery_logs_select_admin ON public.email_delivery_logs
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));
