-- Goals, the plan they come from, and the daily actions towards them.

-- goals: annual production goals are matched by title (activateProductionPlan), the rest are the user's own.
CREATE TABLE public.goals (
    id                  uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id             text          NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    title               text          NOT NULL,
    goal_type           text          NOT NULL,
    target_value        numeric(12,2),
    current_value       numeric(12,2) DEFAULT 0,
    unit                text,
    timeframe           text,
    deadline            date,
    confidence_score    integer       DEFAULT 50,
    status              text          DEFAULT 'active',
    created_at          timestamptz   DEFAULT now(),
    updated_at          timestamptz   DEFAULT now(),
    category            text,
    progress_percentage integer       DEFAULT 0,
    trend               text,
    is_active           boolean       DEFAULT true
);

CREATE INDEX goals_user_id_created_at_id_idx
    ON public.goals (user_id, created_at DESC, id DESC);

CREATE INDEX goals_created_at_idx
    ON public.goals (created_at);

CREATE TRIGGER goals_set_updated_at
    BEFORE UPDATE ON public.goals
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER goals_set_user_id
    BEFORE INSERT ON public.goals
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.goals ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.goals FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.goals TO authenticated;
GRANT ALL ON public.goals TO service_role;

CREATE POLICY goals_select_own ON public.goals
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY goals_insert_own ON public.goals
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY goals_update_own ON public.goals
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY goals_delete_own ON public.goals
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY goals_select_admin ON public.goals
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY goals_insert_admin ON public.goals
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY goals_update_admin ON public.goals
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY goals_delete_admin ON public.goals
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- daily_actions: the to-do list. Latest due date first reads the (user_id, due_date) index backwards; the
-- partial index counts what was completed in a window, for weekly mails; the platform-wide index on created_at
-- what happened in a window, for everybody's figures.
CREATE TABLE public.daily_actions (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    title            text        NOT NULL,
    description      text,
    category         text        NOT NULL,
    priority         text        DEFAULT 'medium',
    status           text        DEFAULT 'pending',
    due_date         date        NOT NULL,
    scheduled_time   time,
    duration_minutes integer,
    completed_at     timestamptz,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now()
);

CREATE INDEX daily_actions_user_id_due_date_idx
    ON public.daily_actions (user_id, due_date);

CREATE INDEX daily_actions_user_id_created_at_id_idx
    ON public.daily_actions (user_id, created_at DESC, id DESC);

CREATE INDEX daily_actions_user_id_completed_at_idx
    ON public.daily_actions (user_id, completed_at)
    WHERE status = 'completed';

CREATE INDEX daily_actions_created_at_idx
    ON public.daily_actions (created_at);

CREATE INDEX daily_actions_updated_at_idx
    ON public.daily_actions (updated_at)
    WHERE status = 'completed';

CREATE TRIGGER daily_actions_set_updated_at
    BEFORE UPDATE ON public.daily_actions
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER daily_actions_set_user_id
    BEFORE INSERT ON public.daily_actions
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.daily_actions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.daily_actions FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.daily_actions TO authenticated;
GRANT ALL ON public.daily_actions TO service_role;

CREATE POLICY daily_actions_select_own ON public.daily_actions
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY daily_actions_insert_own ON public.daily_actions
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY daily_actions_update_own ON public.daily_actions
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY daily_actions_delete_own ON public.daily_actions
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY daily_actions_select_admin ON public.daily_actions
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY daily_actions_insert_admin ON public.daily_actions
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY daily_actions_update_admin ON public.daily_actions
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY daily_actions_delete_admin ON public.daily_actions
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- business_plans: one plan a user; activating another year replaces it.
CREATE TABLE public.business_plans (
    id                      uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                 text          NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    annual_gci_goal         numeric(12,2),
    transactions_needed     integer,
    average_commission      numeric(12,2),
    lead_sources            jsonb         DEFAULT '{}',
    conversion_rates        jsonb         DEFAULT '{}',
    monthly_breakdown       jsonb         DEFAULT '{}',
    created_at              timestamptz   DEFAULT now(),
    updated_at              timestamptz   DEFAULT now(),
    plan_year               integer,
    is_active               boolean       DEFAULT true,
    detailed_plan           text,
    net_income_goal         numeric(14,2),
    avg_sale_price          numeric(14,2),
    brokerage_cap           numeric(14,2),
    gci_required            numeric(14,2),
    total_volume            numeric(14,2),
    tax_rate                numeric(9,6),
    commission_rate         numeric(9,6),
    buyer_seller_split      numeric(9,6),
    income_split            numeric(9,6),
    brokerage_split_buyers  numeric(9,6),
    brokerage_split_sellers numeric(9,6),
    team_split_buyers       numeric(9,6),
    team_split_sellers      numeric(9,6),
    total_deals_needed      numeric(14,2),
    buyer_deals             numeric(14,2),
    listing_deals           numeric(14,2),
    total_conversations     numeric(14,2),
    total_appointments      numeric(14,2),
    total_agreements        numeric(14,2),
    total_contracts         numeric(14,2),
    UNIQUE (user_id)
);

CREATE TRIGGER business_plans_set_updated_at
    BEFORE UPDATE ON public.business_plans
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER business_plans_set_user_id
    BEFORE INSERT ON public.business_plans
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.business_plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.business_plans FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.business_plans TO authenticated;
GRANT ALL ON public.business_plans TO service_role;

CREATE POLICY business_plans_select_own ON public.business_plans
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY business_plans_insert_own ON public.business_plans
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY business_plans_update_own ON public.business_plans
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY business_plans_delete_own ON public.business_plans
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY business_plans_select_admin ON public.business_plans
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY business_plans_insert_admin ON public.business_plans
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY business_plans_update_admin ON public.business_plans
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY business_plans_delete_admin ON public.business_plans
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
