-- Creates that a client may repeat. A create runs as the user, in one transaction with its key; the keys are the
-- runtime's table, where no client role has a right. So these two functions, with the service's rights, are all
-- that a user's transaction may do there: to the caller's own keys. _user_id counts where nobody is signed in,
-- which is the service, acting for an administrator.
--
--     SELECT * FROM edge.claim_idempotency_key('createTask', 'user_a', 'key-1', '\x...');   -- before the write
--     SELECT edge.keep_idempotent_response('createTask', 'user_a', 'key-1', 200, '{...}');   -- after it

GRANT CREATE ON SCHEMA edge TO service_role;

-- outcome is what the caller does next:
--     new        the key is this transaction's: write, then keep the response
--     replay     answer with status and response
--     conflict   the key was used for another request
-- Of two that come at once the second waits here for the first one's commit or rollback.
CREATE FUNCTION edge.claim_idempotency_key(
    _scope text,
    _user_id text,
    _key text,
    _request_hash bytea,
    OUT outcome text,
    OUT status integer,
    OUT response jsonb
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
DECLARE
    owner CONSTANT text := coalesce(edge.user_id(), _user_id);
    held edge.idempotency_keys;
BEGIN
    DELETE FROM edge.idempotency_keys AS k
    WHERE k.scope = _scope
        AND k.user_id = owner
        AND k.key = _key
        AND k.expires_at <= now();

    INSERT INTO edge.idempotency_keys (scope, user_id, key, request_hash)
    VALUES (_scope, owner, _key, _request_hash)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        outcome := 'new';
        RETURN;
    END IF;

    SELECT *
    INTO STRICT held
    FROM edge.idempotency_keys AS k
    WHERE k.scope = _scope
        AND k.user_id = owner
        AND k.key = _key;

    outcome := CASE WHEN held.request_hash = _request_hash THEN 'replay' ELSE 'conflict' END;
    status := held.status;
    response := held.response;
END
$$;

-- Only the transaction that claimed the key has a row without a response to fill.
CREATE FUNCTION edge.keep_idempotent_response(
    _scope text,
    _user_id text,
    _key text,
    _status integer,
    _response jsonb
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ''
AS $$
    UPDATE edge.idempotency_keys
    SET status = _status,
        response = _response
    WHERE scope = _scope
        AND user_id = coalesce(edge.user_id(), _user_id)
        AND key = _key
        AND status IS NULL
$$;

ALTER FUNCTION edge.claim_idempotency_key(text, text, text, bytea) OWNER TO service_role;
ALTER FUNCTION edge.keep_idempotent_response(text, text, text, integer, jsonb) OWNER TO service_role;

REVOKE ALL ON FUNCTION
    edge.claim_idempotency_key(text, text, text, bytea),
    edge.keep_idempotent_response(text, text, text, integer, jsonb)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    edge.claim_idempotency_key(text, text, text, bytea),
    edge.keep_idempotent_response(text, text, text, integer, jsonb)
    TO authenticated, service_role;

REVOKE CREATE ON SCHEMA edge FROM service_role;
