-- What was said and what agents did. The two logs cannot be changed by users, so that an audit trail or a
-- replayed answer cannot be rewritten.

-- ai_agent_conversations: one row a conversation, its newest 200 messages inside.
CREATE TABLE public.ai_agent_conversations (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    agent_type text        NOT NULL,
    messages   jsonb       DEFAULT '[]',
    context    jsonb       DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);

CREATE INDEX ai_agent_conversations_user_id_agent_type_updated_at_idx
    ON public.ai_agent_conversations (user_id, agent_type, updated_at DESC);

CREATE INDEX ai_agent_conversations_user_id_created_at_id_idx
    ON public.ai_agent_conversations (user_id, created_at DESC, id DESC);

CREATE INDEX ai_agent_conversations_created_at_idx
    ON public.ai_agent_conversations (created_at);

CREATE TRIGGER ai_agent_conversations_set_updated_at
    BEFORE UPDATE ON public.ai_agent_conversations
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER ai_agent_conversations_set_user_id
    BEFORE INSERT ON public.ai_agent_conversations
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.ai_agent_conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.ai_agent_conversations FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.ai_agent_conversations TO authenticated;
GRANT ALL ON public.ai_agent_conversations TO service_role;

CREATE POLICY ai_agent_conversations_select_own ON public.ai_agent_conversations
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY ai_agent_conversations_insert_own ON public.ai_agent_conversations
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY ai_agent_conversations_update_own ON public.ai_agent_conversations
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY ai_agent_conversations_delete_own ON public.ai_agent_conversations
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY ai_agent_conversations_select_admin ON public.ai_agent_conversations
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY ai_agent_conversations_insert_admin ON public.ai_agent_conversations
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY ai_agent_conversations_update_admin ON public.ai_agent_conversations
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY ai_agent_conversations_delete_admin ON public.ai_agent_conversations
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- ai_actions_log: publishing, sending, buying. The third index finds the row of an idempotency key; not unique,
-- because a failed attempt stays and a later one under the same key adds a row.
CREATE TABLE public.ai_actions_log (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    action_type   text        NOT NULL,
    action_data   jsonb       NOT NULL DEFAULT '{}',
    status        text        NOT NULL,
    resource_url  text,
    error_message text,
    executed_at   timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (status IN ('pending', 'success', 'failed'))
);

CREATE INDEX ai_actions_log_status_executed_at_idx
    ON public.ai_actions_log (status, executed_at DESC);

CREATE INDEX ai_actions_log_user_id_executed_at_idx
    ON public.ai_actions_log (user_id, executed_at DESC);

CREATE INDEX ai_actions_log_user_id_action_type_idempotency_key_idx
    ON public.ai_actions_log (user_id, action_type, (action_data ->> 'idempotency_key'));

CREATE INDEX ai_actions_log_user_id_created_at_id_idx
    ON public.ai_actions_log (user_id, created_at DESC, id DESC);

CREATE TRIGGER ai_actions_log_set_user_id
    BEFORE INSERT ON public.ai_actions_log
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.ai_actions_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.ai_actions_log FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT ON public.ai_actions_log TO authenticated;
GRANT ALL ON public.ai_actions_log TO service_role;

CREATE POLICY ai_actions_log_select_own ON public.ai_actions_log
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY ai_actions_log_insert_own ON public.ai_actions_log
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY ai_actions_log_select_admin ON public.ai_actions_log
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- ai_tool_usage: one row a tool call of a chat turn.
CREATE TABLE public.ai_tool_usage (
    id                uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    agent_type        text,
    tool_name         text        NOT NULL,
    tool_args         jsonb       DEFAULT '{}',
    tool_result       jsonb,
    execution_time_ms integer,
    success           boolean     NOT NULL DEFAULT false,
    error_message     text,
    created_at        timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX ai_tool_usage_created_at_idx
    ON public.ai_tool_usage (created_at DESC);

CREATE INDEX ai_tool_usage_tool_name_idx
    ON public.ai_tool_usage (tool_name);

CREATE INDEX ai_tool_usage_user_id_idx
    ON public.ai_tool_usage (user_id);

CREATE INDEX ai_tool_usage_user_id_created_at_id_idx
    ON public.ai_tool_usage (user_id, created_at DESC, id DESC);

ALTER TABLE public.ai_tool_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.ai_tool_usage FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.ai_tool_usage TO authenticated;
GRANT ALL ON public.ai_tool_usage TO service_role;

CREATE POLICY ai_tool_usage_select_own ON public.ai_tool_usage
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY ai_tool_usage_select_admin ON public.ai_tool_usage
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));
