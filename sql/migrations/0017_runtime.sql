-- The runtime's own tables: what makes webhooks, retries, schedules and jobs happen once across any number of
-- hosts. Only service_role has rights here; row security is not needed where no client role may look.

CREATE TABLE edge.webhook_events (
    provider    text NOT NULL,
    event_id    text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    status      text NOT NULL DEFAULT 'processed',
    attempts    integer NOT NULL DEFAULT 1,
    PRIMARY KEY (provider, event_id)
);

COMMENT ON TABLE edge.webhook_events IS
    'Deliveries acted on, inserted in the transaction of their effects: the key makes a redelivery a no-op';

CREATE INDEX webhook_events_received_at_idx
    ON edge.webhook_events (received_at);

CREATE TABLE edge.oauth_states (
    state         text PRIMARY KEY,
    user_id       text NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    service_name  text NOT NULL,
    code_verifier text,
    redirect_uri  text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL DEFAULT now() + interval '10 minutes'
);

COMMENT ON TABLE edge.oauth_states IS
    'OAuth flows under way and one-time sign-in links; consumed by DELETE ... RETURNING, so a state works once';

CREATE INDEX oauth_states_user_id_service_name_created_at_idx
    ON edge.oauth_states (user_id, service_name, created_at);

CREATE INDEX oauth_states_expires_at_idx
    ON edge.oauth_states (expires_at);

-- status and response are NULL while the first call is at work: a second one waits on the primary key and then
-- replays.
CREATE TABLE edge.idempotency_keys (
    scope        text NOT NULL,
    user_id      text NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       integer,
    response     jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    PRIMARY KEY (scope, user_id, key)
);

CREATE INDEX idempotency_keys_created_at_idx
    ON edge.idempotency_keys (created_at);

CREATE INDEX idempotency_keys_expires_at_idx
    ON edge.idempotency_keys (expires_at);

-- Locks that outlive a transaction: held across provider calls and whole runs. A lease frees itself when its
-- host dies, and works behind a pooler, which session locks do not.
CREATE TABLE edge.leases (
    name       text PRIMARY KEY,
    owner      text NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The primary key makes a scheduled minute run once across all hosts.
CREATE TABLE edge.cron_runs (
    function      text NOT NULL,
    scheduled_for timestamptz NOT NULL,
    host          text,
    started_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    outcome       text,
    error         text,
    PRIMARY KEY (function, scheduled_for)
);

CREATE INDEX cron_runs_scheduled_for_idx
    ON edge.cron_runs (scheduled_for);

-- Durable jobs. Open: finished_at IS NULL. Claimed: locked_until in the future. A worker renews locked_until
-- while it works and sets finished_at at the end, or run_at for another try.
CREATE TABLE edge.jobs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    function     text NOT NULL,
    payload      jsonb NOT NULL DEFAULT '{}',
    run_at       timestamptz NOT NULL DEFAULT now(),
    attempts     integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL DEFAULT 5,
    last_error   text,
    locked_by    text,
    locked_until timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz
);

CREATE INDEX jobs_run_at_id_idx
    ON edge.jobs (run_at, id)
    WHERE finished_at IS NULL;

CREATE INDEX jobs_finished_at_idx
    ON edge.jobs (finished_at)
    WHERE finished_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    edge.webhook_events, edge.oauth_states, edge.idempotency_keys, edge.leases, edge.cron_runs, edge.jobs
    TO service_role;

-- Claims up to _limit due jobs for a worker, oldest first, for _lease. SKIP LOCKED lets any number of workers
-- ask at the same time without waiting for one another; the lease brings back the jobs of a worker that died. A
-- job whose last attempt died that way is closed here, since nobody else would ever look at it again.
CREATE FUNCTION public.claim_jobs(
    _worker text,
    _limit integer DEFAULT 10,
    _lease interval DEFAULT '5 minutes'
) RETURNS SETOF edge.jobs
    LANGUAGE sql
    SET search_path = ''
AS $$
    WITH due AS (
        SELECT id, attempts < max_attempts AS has_attempts_left
        FROM edge.jobs
        WHERE finished_at IS NULL
            AND run_at <= clock_timestamp()
            AND (locked_until IS NULL OR locked_until <= clock_timestamp())
        ORDER BY run_at, id
        LIMIT greatest(_limit, 0)
        FOR UPDATE SKIP LOCKED
    ), abandoned AS (
        UPDATE edge.jobs AS j
        SET finished_at = clock_timestamp(),
            last_error = coalesce(
                j.last_error,
                'worker "' || j.locked_by || '" stopped during the last attempt'
            ),
            locked_by = NULL,
            locked_until = NULL
        FROM due
        WHERE j.id = due.id
            AND NOT due.has_attempts_left
    ), claimed AS (
        UPDATE edge.jobs AS j
        SET attempts = j.attempts + 1,
            locked_by = _worker,
            locked_until = clock_timestamp() + _lease
        FROM due
        WHERE j.id = due.id
            AND due.has_attempts_left
        RETURNING j.*
    )
    SELECT *
    FROM claimed
    ORDER BY run_at, id
$$;

-- Deletes what has had its time, at most _limit rows a table, so that one call never holds locks for long: call
-- it again while a count equals the limit. Returns a row a table. Two purgers at once share the work.
--
-- graph_context_cache: an expired row is still shown, marked stale, so it goes only 30 days after it expired.
-- market_data is no cache in this sense: old figures are the fallback when the provider fails.
CREATE FUNCTION public.purge_expired(_limit integer DEFAULT 10000)
    RETURNS TABLE (purged_table text, deleted bigint)
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT *
        FROM (VALUES
            ('edge.oauth_states', 'expires_at <= now()'),
            ('edge.idempotency_keys', 'expires_at <= now()'),
            ('edge.webhook_events', 'received_at < now() - interval ''30 days'''),
            ('edge.cron_runs', 'scheduled_for < now() - interval ''30 days'''),
            ('edge.jobs', 'finished_at < now() - interval ''7 days'''),
            ('edge.leases', 'expires_at < now() - interval ''1 day'''),
            ('public.graph_context_cache', 'expires_at < now() - interval ''30 days''')
        ) AS rules (name, has_had_its_time)
    LOOP
        EXECUTE format(
            'DELETE FROM %s'
            ' WHERE ctid = ANY (ARRAY(SELECT ctid FROM %s WHERE %s LIMIT $1 FOR UPDATE SKIP LOCKED))',
            rule.name, rule.name, rule.has_had_its_time
        )
        USING _limit;

        purged_table := rule.name;
        GET DIAGNOSTICS deleted = ROW_COUNT;
        RETURN NEXT;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION
    public.claim_jobs(text, integer, interval),
    public.purge_expired(integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    public.claim_jobs(text, integer, interval),
    public.purge_expired(integer)
    TO service_role;
