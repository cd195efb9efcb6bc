-- What only administrators see.

-- system_errors: repeats are folded into the newest unresolved row of the same function, severity and message.
CREATE TABLE public.system_errors (
    id                 uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    severity           text        NOT NULL,
    function_name      text        NOT NULL,
    message            text        NOT NULL,
    stack_trace        text,
    user_id            text        REFERENCES public.profiles (id) ON DELETE SET NULL,
    metadata           jsonb       DEFAULT '{}',
    occurrence_count   integer     DEFAULT 1,
    created_at         timestamptz DEFAULT now(),
    last_occurrence_at timestamptz DEFAULT now(),
    resolved           boolean     DEFAULT false,
    resolved_at        timestamptz,
    resolved_by        text        REFERENCES public.profiles (id) ON DELETE SET NULL,
    CHECK (severity IN ('critical', 'warning', 'info'))
);

CREATE INDEX system_errors_function_name_severity_idx
    ON public.system_errors (function_name, severity);

CREATE INDEX system_errors_last_occurrence_at_id_idx
    ON public.system_errors (last_occurrence_at DESC, id DESC);

CREATE INDEX system_errors_created_at_idx
    ON public.system_errors (created_at);

CREATE INDEX system_errors_severity_idx
    ON public.system_errors (severity)
    WHERE resolved IS NOT TRUE;

CREATE INDEX system_errors_user_id_idx
    ON public.system_errors (user_id);

CREATE INDEX system_errors_resolved_by_idx
    ON public.system_errors (resolved_by);

ALTER TABLE public.system_errors ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.system_errors FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.system_errors TO authenticated;
GRANT ALL ON public.system_errors TO service_role;

CREATE POLICY system_errors_select_admin ON public.system_errors
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY system_errors_insert_admin ON public.system_errors
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY system_errors_update_admin ON public.system_errors
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY system_errors_delete_admin ON public.system_errors
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
