-- What belongs to an account: onboarding, preferences, plan, referrals, what agents may do on its behalf.

-- user_onboarding: how far a user got in the wizards.
CREATE TABLE public.user_onboarding (
    id                                 uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                            text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    onboarding_completed               boolean     DEFAULT false,
    agent_onboarding_completed         boolean     DEFAULT false,
    call_center_onboarding_completed   boolean     DEFAULT false,
    created_at                         timestamptz DEFAULT now(),
    updated_at                         timestamptz DEFAULT now(),
    highlevel_webhook_sent             boolean     DEFAULT false,
    completed_steps                    text[]      NOT NULL DEFAULT '{}',
    onboarding_completion_date         timestamptz,
    agent_intelligence_completion_date timestamptz,
    disclosure_acceptance_timestamp    timestamptz,
    agent_intelligence_completed       boolean     DEFAULT false,
    disclosure_accepted                boolean     DEFAULT false,
    goals_setup_completed              boolean     DEFAULT false,
    goals_completion_date              timestamptz,
    UNIQUE (user_id)
);

CREATE TRIGGER user_onboarding_set_updated_at
    BEFORE UPDATE ON public.user_onboarding
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER user_onboarding_set_user_id
    BEFORE INSERT ON public.user_onboarding
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.user_onboarding ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_onboarding FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.user_onboarding TO authenticated;
GRANT ALL ON public.user_onboarding TO service_role;

CREATE POLICY user_onboarding_select_own ON public.user_onboarding
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_onboarding_insert_own ON public.user_onboarding
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_onboarding_update_own ON public.user_onboarding
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_onboarding_delete_own ON public.user_onboarding
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_onboarding_select_admin ON public.user_onboarding
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY user_onboarding_insert_admin ON public.user_onboarding
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_onboarding_update_admin ON public.user_onboarding
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_onboarding_delete_admin ON public.user_onboarding
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- user_preferences: one row a user; timezone decides when mails go out.
CREATE TABLE public.user_preferences (
    id                    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id               text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    brand_primary_color   text        DEFAULT '#7C3AED',
    brand_secondary_color text        DEFAULT '#F1F5F9',
    brand_accent_color    text        DEFAULT '#3B82F6',
    communication_style   text        DEFAULT 'professional',
    content_themes        text[]      DEFAULT '{}',
    email_categories      text[]      DEFAULT '{}',
    auto_response_enabled boolean     DEFAULT false,
    created_at            timestamptz DEFAULT now(),
    updated_at            timestamptz DEFAULT now(),
    coaching_style        text        DEFAULT 'balanced',
    activity_mode         text        DEFAULT 'get_moving',
    timezone              text        DEFAULT 'America/New_York',
    daily_reminders       boolean     DEFAULT true,
    weekly_reports        boolean     DEFAULT true,
    market_updates        boolean     DEFAULT true,
    email_notifications   boolean     DEFAULT true,
    UNIQUE (user_id)
);

CREATE TRIGGER user_preferences_set_updated_at
    BEFORE UPDATE ON public.user_preferences
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER user_preferences_set_user_id
    BEFORE INSERT ON public.user_preferences
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.user_preferences ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_preferences FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.user_preferences TO authenticated;
GRANT ALL ON public.user_preferences TO service_role;

CREATE POLICY user_preferences_select_own ON public.user_preferences
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_preferences_insert_own ON public.user_preferences
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_preferences_update_own ON public.user_preferences
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY user_preferences_delete_own ON public.user_preferences
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_preferences_select_admin ON public.user_preferences
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY user_preferences_insert_admin ON public.user_preferences
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_preferences_update_admin ON public.user_preferences
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY user_preferences_delete_admin ON public.user_preferences
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- user_agent_subscriptions: bought plans and their minutes, written by the commerce webhooks and
-- administrators' functions.
CREATE TABLE public.user_agent_subscriptions (
    id                   uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id              text         NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    agent_type           text         NOT NULL,
    subscription_tier    text         DEFAULT 'free',
    is_active            boolean      DEFAULT true,
    expires_at           timestamptz,
    created_at           timestamptz  DEFAULT now(),
    updated_at           timestamptz  DEFAULT now(),
    minutes_allocated    integer,
    current_minutes_used integer      DEFAULT 0,
    overage_rate         numeric(6,2) DEFAULT 0,
    plan_type            text,
    billing_cycle_start  timestamptz,
    billing_cycle_end    timestamptz,
    gohighlevel_order_id text,
    shopify_order_id     text,
    source_platform      text         DEFAULT 'app',
    status               text         DEFAULT 'active',
    UNIQUE (user_id, agent_type)
);

CREATE INDEX user_agent_subscriptions_created_at_id_idx
    ON public.user_agent_subscriptions (created_at DESC, id DESC);

CREATE TRIGGER user_agent_subscriptions_set_updated_at
    BEFORE UPDATE ON public.user_agent_subscriptions
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.user_agent_subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_agent_subscriptions FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.user_agent_subscriptions TO authenticated;
GRANT ALL ON public.user_agent_subscriptions TO service_role;

CREATE POLICY user_agent_subscriptions_select_own ON public.user_agent_subscriptions
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_agent_subscriptions_select_admin ON public.user_agent_subscriptions
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- autopilot_permissions: what the agents may do for a user. No row: never decided; a stored false refuses the
-- tool.
CREATE TABLE public.autopilot_permissions (
    user_id    text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    permission text        NOT NULL,
    allowed    boolean     NOT NULL,
    updated_by text        REFERENCES public.profiles (id) ON DELETE SET NULL,
    updated_at timestamptz DEFAULT now(),
    PRIMARY KEY (user_id, permission)
);

CREATE INDEX autopilot_permissions_updated_by_idx
    ON public.autopilot_permissions (updated_by);

CREATE TRIGGER autopilot_permissions_set_updated_at
    BEFORE UPDATE ON public.autopilot_permissions
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.autopilot_permissions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.autopilot_permissions FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.autopilot_permissions TO authenticated;
GRANT ALL ON public.autopilot_permissions TO service_role;

CREATE POLICY autopilot_permissions_select_own ON public.autopilot_permissions
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY autopilot_permissions_select_admin ON public.autopilot_permissions
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- referrals: who invited whom. One reward for a referred person, ever: the unique index on referred_user_id
-- decides.
CREATE TABLE public.referrals (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    referrer_user_id text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    referred_email   text        NOT NULL,
    referred_user_id text        REFERENCES public.profiles (id) ON DELETE SET NULL,
    status           text        DEFAULT 'pending',
    reward_granted   boolean     DEFAULT false,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now()
);

CREATE UNIQUE INDEX referrals_referred_user_id_idx
    ON public.referrals (referred_user_id)
    WHERE referred_user_id IS NOT NULL;

CREATE INDEX referrals_referrer_user_id_created_at_id_idx
    ON public.referrals (referrer_user_id, created_at DESC, id DESC);

CREATE INDEX referrals_referrer_user_id_referred_email_idx
    ON public.referrals (referrer_user_id, lower(referred_email));

CREATE TRIGGER referrals_set_updated_at
    BEFORE UPDATE ON public.referrals
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.referrals FORCE ROW LEVEL SECURITY;

-- A referrer who could write status, reward_granted or referred_user_id would grant himself credits.
GRANT SELECT, DELETE ON public.referrals TO authenticated;
GRANT INSERT (
        id, referrer_user_id, referred_email, created_at, updated_at
    ) ON public.referrals TO authenticated;
GRANT UPDATE (
        referred_email, updated_at
    ) ON public.referrals TO authenticated;
GRANT ALL ON public.referrals TO service_role;

CREATE POLICY referrals_select_referrer ON public.referrals
    FOR SELECT TO authenticated
    USING (referrer_user_id = (SELECT edge.user_id()));

CREATE POLICY referrals_select_referred ON public.referrals
    FOR SELECT TO authenticated
    USING (referred_user_id = (SELECT edge.user_id()));

CREATE POLICY referrals_insert_referrer ON public.referrals
    FOR INSERT TO authenticated
    WITH CHECK (referrer_user_id = (SELECT edge.user_id()));

CREATE POLICY referrals_select_admin ON public.referrals
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY referrals_insert_admin ON public.referrals
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY referrals_update_admin ON public.referrals
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY referrals_delete_admin ON public.referrals
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
