-- Voice: outbound calls, and training calls with their scenarios, reports and progress.

-- call_logs: one row a call; webhooks find it by conversation. Expression index: pruning what the platform sync
-- brought.
CREATE TABLE public.call_logs (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    call_type        text        NOT NULL,
    contact_name     text,
    phone_number     text,
    duration_seconds integer,
    status           text        DEFAULT 'pending_initiation',
    notes            text,
    recording_url    text,
    metadata         jsonb       DEFAULT '{}',
    created_at       timestamptz DEFAULT now(),
    conversation_id  text,
    call_sid         text,
    ended_at         timestamptz,
    transcript       jsonb       DEFAULT '[]',
    analysis         jsonb       DEFAULT '{}',
    form_data        jsonb       DEFAULT '{}'
);

CREATE INDEX call_logs_conversation_id_idx
    ON public.call_logs (conversation_id);

CREATE INDEX call_logs_user_id_created_at_id_idx
    ON public.call_logs (user_id, created_at DESC, id DESC);

CREATE INDEX call_logs_created_at_idx
    ON public.call_logs (created_at);

CREATE INDEX call_logs_sync_run_id_idx
    ON public.call_logs ((metadata ->> 'sync_run_id'))
    WHERE metadata ->> 'external_source' = 'platform_sync';

CREATE TRIGGER call_logs_set_user_id
    BEFORE INSERT ON public.call_logs
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.call_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.call_logs FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.call_logs TO authenticated;
GRANT ALL ON public.call_logs TO service_role;

CREATE POLICY call_logs_select_own ON public.call_logs
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY call_logs_insert_own ON public.call_logs
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY call_logs_update_own ON public.call_logs
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY call_logs_delete_own ON public.call_logs
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY call_logs_select_admin ON public.call_logs
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY call_logs_insert_admin ON public.call_logs
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY call_logs_update_admin ON public.call_logs
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY call_logs_delete_admin ON public.call_logs
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- role_play_scenarios: catalogue of training situations.
CREATE TABLE public.role_play_scenarios (
    id                          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name                        text        NOT NULL,
    description                 text,
    category                    text        NOT NULL,
    difficulty_level            text        NOT NULL,
    initial_context             text        NOT NULL,
    client_persona              text        NOT NULL,
    eleven_labs_agent_id        text,
    eleven_labs_phone_number_id text,
    eleven_labs_voice_id        text,
    first_message_override      text,
    avatar_image_url            text,
    passing_threshold           integer     DEFAULT 70,
    learning_objectives         text[]      DEFAULT '{}',
    average_duration_minutes    integer     DEFAULT 10,
    success_criteria            text[]      DEFAULT '{}',
    is_active                   boolean     DEFAULT true,
    is_popular                  boolean     DEFAULT false,
    is_premium                  boolean     DEFAULT false,
    created_at                  timestamptz DEFAULT now(),
    updated_at                  timestamptz DEFAULT now()
);

CREATE INDEX role_play_scenarios_created_at_id_idx
    ON public.role_play_scenarios (created_at DESC, id DESC);

CREATE TRIGGER role_play_scenarios_set_updated_at
    BEFORE UPDATE ON public.role_play_scenarios
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.role_play_scenarios ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.role_play_scenarios FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.role_play_scenarios TO authenticated;
GRANT ALL ON public.role_play_scenarios TO service_role;

CREATE POLICY role_play_scenarios_select_authenticated ON public.role_play_scenarios
    FOR SELECT TO authenticated
    USING (is_active AND (SELECT edge.user_id()) IS NOT NULL);

CREATE POLICY role_play_scenarios_select_admin ON public.role_play_scenarios
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY role_play_scenarios_insert_admin ON public.role_play_scenarios
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY role_play_scenarios_update_admin ON public.role_play_scenarios
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY role_play_scenarios_delete_admin ON public.role_play_scenarios
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- role_play_session_logs: one row a training call. The partial index finds which prepayment a session used up.
CREATE TABLE public.role_play_session_logs (
    id                       uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                  text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    scenario_id              uuid        REFERENCES public.role_play_scenarios (id) ON DELETE SET NULL,
    session_duration_seconds integer,
    transcript               jsonb       DEFAULT '[]',
    status                   text        DEFAULT 'pending_initiation',
    created_at               timestamptz DEFAULT now(),
    conversation_id          text,
    call_sid                 text,
    metadata                 jsonb       DEFAULT '{}',
    recording_url            text,
    ended_at                 timestamptz
);

CREATE INDEX role_play_session_logs_conversation_id_idx
    ON public.role_play_session_logs (conversation_id);

CREATE INDEX role_play_session_logs_status_idx
    ON public.role_play_session_logs (status);

CREATE INDEX role_play_session_logs_scenario_id_idx
    ON public.role_play_session_logs (scenario_id);

CREATE INDEX role_play_session_logs_user_id_created_at_id_idx
    ON public.role_play_session_logs (user_id, created_at DESC, id DESC);

CREATE INDEX role_play_session_logs_created_at_idx
    ON public.role_play_session_logs (created_at);

CREATE INDEX role_play_session_logs_user_id_prepaid_transaction_id_idx
    ON public.role_play_session_logs (user_id, (metadata ->> 'prepaid_transaction_id'))
    WHERE metadata ? 'prepaid_transaction_id';

CREATE TRIGGER role_play_session_logs_set_user_id
    BEFORE INSERT ON public.role_play_session_logs
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.role_play_session_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.role_play_session_logs FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.role_play_session_logs TO authenticated;
GRANT ALL ON public.role_play_session_logs TO service_role;

CREATE POLICY role_play_session_logs_select_own ON public.role_play_session_logs
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_session_logs_insert_own ON public.role_play_session_logs
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_session_logs_update_own ON public.role_play_session_logs
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_session_logs_delete_own ON public.role_play_session_logs
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_session_logs_select_admin ON public.role_play_session_logs
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY role_play_session_logs_insert_admin ON public.role_play_session_logs
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY role_play_session_logs_update_admin ON public.role_play_session_logs
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY role_play_session_logs_delete_admin ON public.role_play_session_logs
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- role_play_analysis_reports: written by the service after the evaluation.
CREATE TABLE public.role_play_analysis_reports (
    id                    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id               text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    session_id            uuid        REFERENCES public.role_play_session_logs (id) ON DELETE CASCADE,
    overall_score         integer,
    strengths             jsonb       DEFAULT '[]',
    areas_for_improvement jsonb       DEFAULT '[]',
    detailed_feedback     text,
    metrics               jsonb       DEFAULT '{}',
    created_at            timestamptz DEFAULT now(),
    overall_result        text
);

CREATE INDEX role_play_analysis_reports_session_id_idx
    ON public.role_play_analysis_reports (session_id);

CREATE INDEX role_play_analysis_reports_user_id_created_at_id_idx
    ON public.role_play_analysis_reports (user_id, created_at DESC, id DESC);

ALTER TABLE public.role_play_analysis_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.role_play_analysis_reports FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.role_play_analysis_reports TO authenticated;
GRANT ALL ON public.role_play_analysis_reports TO service_role;

CREATE POLICY role_play_analysis_reports_select_own ON public.role_play_analysis_reports
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_analysis_reports_select_admin ON public.role_play_analysis_reports
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- role_play_user_progress: attempts and best score a scenario.
CREATE TABLE public.role_play_user_progress (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    scenario_id     uuid        REFERENCES public.role_play_scenarios (id) ON DELETE CASCADE,
    attempts        integer     DEFAULT 0,
    best_score      integer,
    last_attempt_at timestamptz,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now(),
    UNIQUE (user_id, scenario_id)
);

CREATE INDEX role_play_user_progress_scenario_id_idx
    ON public.role_play_user_progress (scenario_id);

CREATE INDEX role_play_user_progress_user_id_created_at_id_idx
    ON public.role_play_user_progress (user_id, created_at DESC, id DESC);

CREATE TRIGGER role_play_user_progress_set_updated_at
    BEFORE UPDATE ON public.role_play_user_progress
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER role_play_user_progress_set_user_id
    BEFORE INSERT ON public.role_play_user_progress
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.role_play_user_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.role_play_user_progress FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.role_play_user_progress TO authenticated;
GRANT ALL ON public.role_play_user_progress TO service_role;

CREATE POLICY role_play_user_progress_select_own ON public.role_play_user_progress
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_user_progress_insert_own ON public.role_play_user_progress
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_user_progress_update_own ON public.role_play_user_progress
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_user_progress_delete_own ON public.role_play_user_progress
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY role_play_user_progress_select_admin ON public.role_play_user_progress
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY role_play_user_progress_insert_admin ON public.role_play_user_progress
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY role_play_user_progress_update_admin ON public.role_play_user_progress
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY role_play_user_progress_delete_admin ON public.role_play_user_progress
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
