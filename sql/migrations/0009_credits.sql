-- Credits: a balance a user, and the ledger it is the sum of.

-- user_credits: the balance. NULL counts as 0; the check is the last line of defence.
CREATE TABLE public.user_credits (
    id                uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    credits_available integer     DEFAULT 0,
    credits_used      integer     DEFAULT 0,
    last_reset_at     timestamptz DEFAULT now(),
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now(),
    UNIQUE (user_id),
    CHECK (credits_available >= 0)
);

CREATE TRIGGER user_credits_set_updated_at
    BEFORE UPDATE ON public.user_credits
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.user_credits ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_credits FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.user_credits TO authenticated;
GRANT ALL ON public.user_credits TO service_role;

CREATE POLICY user_credits_select_own ON public.user_credits
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_credits_select_admin ON public.user_credits
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- credit_transactions: the ledger; amount is signed. The unique index makes a repeated key book nothing,
-- whoever races.
CREATE TABLE public.credit_transactions (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    transaction_type text        NOT NULL,
    amount           integer     NOT NULL,
    balance_after    integer     NOT NULL,
    description      text,
    metadata         jsonb       DEFAULT '{}',
    created_at       timestamptz DEFAULT now()
);

CREATE UNIQUE INDEX credit_transactions_user_id_idempotency_key_idx
    ON public.credit_transactions (user_id, (metadata ->> 'idempotency_key'))
    WHERE metadata ? 'idempotency_key';

CREATE INDEX credit_transactions_user_id_created_at_idx
    ON public.credit_transactions (user_id, created_at DESC);

ALTER TABLE public.credit_transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.credit_transactions FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.credit_transactions TO authenticated;
GRANT ALL ON public.credit_transactions TO service_role;

CREATE POLICY credit_transactions_select_own ON public.credit_transactions
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY credit_transactions_select_admin ON public.credit_transactions
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- Every change of a balance goes through this function, together with its ledger row: the sum of a user's
-- ledger is the balance, and the newest row's balance_after equals it. The balance row's lock puts all changes
-- of one user in order; everything is decided after it is held.
--
-- _operation says what _requested means, and is kept in the ledger row's metadata:
--     deduct   take _requested, all or nothing; counts as used
--     collect  take _requested or what is left (metadata.uncollected: how much was not there); counts as used
--     add      give _requested
--     refund   give _requested back; counts as not used after all
--     set      make _requested the balance
--     adjust   add _requested, which may be negative; stops at 0
--
-- What a caller has to expect is an outcome and no exception, so that its transaction goes on:
--     ok, insufficient_credits, idempotency_conflict, balance_limit, user_not_found
-- Only ok has written anything. transaction_id is NULL when the balance did not change (no ledger row).
CREATE FUNCTION edge.book_credits(
    _user_id text,
    _operation text,
    _requested integer,
    _transaction_type text,
    _description text,
    _metadata jsonb,
    _idempotency_key text,
    OUT outcome text,
    OUT previous_balance integer,
    OUT new_balance integer,
    OUT amount_changed integer,
    OUT transaction_id uuid,
    OUT replayed boolean
)
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
DECLARE
    balance_max CONSTANT bigint := 1000000000;
    old_used integer;
    new_used integer;
    wanted bigint;
    booked public.credit_transactions;
    newest timestamptz;
    at timestamptz;
BEGIN
    replayed := false;
    amount_changed := 0;

    IF NOT EXISTS (SELECT FROM public.profiles WHERE id = _user_id) THEN
        outcome := 'user_not_found';
        RETURN;
    END IF;

    -- Taking from a user without a balance row must leave nothing behind, so only giving creates it.
    IF _operation NOT IN ('deduct', 'collect') THEN
        INSERT INTO public.user_credits (user_id, credits_available, credits_used)
        VALUES (_user_id, 0, 0)
        ON CONFLICT (user_id) DO NOTHING;
    END IF;

    SELECT coalesce(c.credits_available, 0), coalesce(c.credits_used, 0)
    INTO previous_balance, old_used
    FROM public.user_credits AS c
    WHERE c.user_id = _user_id
    FOR UPDATE;
    previous_balance := coalesce(previous_balance, 0);
    old_used := coalesce(old_used, 0);

    IF _idempotency_key IS NOT NULL THEN
        SELECT *
        INTO booked
        FROM public.credit_transactions AS t
        WHERE t.user_id = _user_id
            AND t.metadata ? 'idempotency_key'
            AND t.metadata ->> 'idempotency_key' = _idempotency_key;

        IF FOUND THEN
            IF booked.metadata ->> 'operation' IS DISTINCT FROM _operation
                OR booked.metadata -> 'requested_amount' IS DISTINCT FROM to_jsonb(_requested)
            THEN
                outcome := 'idempotency_conflict';
                new_balance := previous_balance;
                RETURN;
            END IF;

            outcome := 'ok';
            replayed := true;
            previous_balance := booked.balance_after - booked.amount;
            new_balance := booked.balance_after;
            amount_changed := booked.amount;
            transaction_id := booked.id;
            RETURN;
        END IF;
    END IF;

    wanted := CASE _operation
        WHEN 'deduct' THEN previous_balance::bigint - _requested
        WHEN 'collect' THEN greatest(0, previous_balance::bigint - _requested)
        WHEN 'set' THEN _requested
        WHEN 'adjust' THEN greatest(0, previous_balance::bigint + _requested)
        ELSE previous_balance::bigint + _requested
    END;

    IF wanted < 0 OR wanted > balance_max THEN
        outcome := CASE WHEN wanted < 0 THEN 'insufficient_credits' ELSE 'balance_limit' END;
        new_balance := previous_balance;
        RETURN;
    END IF;

    outcome := 'ok';
    new_balance := wanted;
    amount_changed := new_balance - previous_balance;
    IF amount_changed = 0 THEN
        RETURN;
    END IF;

    new_used := CASE
        WHEN _operation IN ('deduct', 'collect') THEN old_used - amount_changed
        WHEN _operation = 'refund' THEN greatest(0, old_used - amount_changed)
        ELSE old_used
    END;

    -- A clock that was set back must not put a newer row before an older one: "newest" decides what the balance
    -- is.
    SELECT max(t.created_at)
    INTO newest
    FROM public.credit_transactions AS t
    WHERE t.user_id = _user_id;
    at := greatest(clock_timestamp(), newest + interval '2 microseconds');

    -- Balances older than the ledger get an opening row, so that the sum holds from the first booking on.
    IF newest IS NULL AND previous_balance <> 0 THEN
        INSERT INTO public.credit_transactions
            (user_id, transaction_type, amount, balance_after, description, created_at)
        VALUES
            (_user_id, 'opening_balance', previous_balance, previous_balance, 'Opening balance',
                at - interval '1 microsecond');
    END IF;

    UPDATE public.user_credits
    SET credits_available = new_balance,
        credits_used = new_used
    WHERE user_id = _user_id;

    INSERT INTO public.credit_transactions
        (user_id, transaction_type, amount, balance_after, description, metadata, created_at)
    VALUES (
        _user_id,
        coalesce(_transaction_type, CASE _operation
            WHEN 'deduct' THEN 'deduction'
            WHEN 'collect' THEN 'debit'
            WHEN 'refund' THEN 'refund'
            WHEN 'add' THEN 'addition'
            WHEN 'set' THEN CASE WHEN amount_changed > 0 THEN 'addition' ELSE 'deduction' END
            ELSE CASE WHEN amount_changed > 0 THEN 'credit' ELSE 'debit' END
        END),
        amount_changed,
        new_balance,
        _description,
        coalesce(_metadata, '{}') - 'idempotency_key'
            || jsonb_build_object('operation', _operation, 'requested_amount', _requested)
            || CASE
                WHEN _operation = 'collect'
                THEN jsonb_build_object('uncollected', _requested + amount_changed)
                ELSE '{}'
            END
            || CASE
                WHEN _idempotency_key IS NOT NULL
                THEN jsonb_build_object('idempotency_key', _idempotency_key)
                ELSE '{}'
            END,
        at
    )
    RETURNING id INTO transaction_id;
END
$$;

-- Takes credits: all or nothing, or with _allow_partial what there is (minutes already talked).
--     SELECT * FROM spend_credits('user_demo', 10, _idempotency_key => 'roleplay/start/' || session_id);
-- Whether a user is charged at all (paid tiers are not for role play) is the caller's to know.
CREATE FUNCTION public.spend_credits(
    _user_id text,
    _amount integer,
    _transaction_type text DEFAULT NULL,
    _description text DEFAULT NULL,
    _metadata jsonb DEFAULT '{}',
    _idempotency_key text DEFAULT NULL,
    _allow_partial boolean DEFAULT false,
    OUT outcome text,
    OUT previous_balance integer,
    OUT new_balance integer,
    OUT amount_changed integer,
    OUT transaction_id uuid,
    OUT replayed boolean
)
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    IF _amount IS NULL OR _amount < 1 THEN
        RAISE EXCEPTION 'amount to spend must be at least 1, not %', _amount
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    SELECT b.*
    INTO outcome, previous_balance, new_balance, amount_changed, transaction_id, replayed
    FROM edge.book_credits(
        _user_id,
        CASE WHEN _allow_partial THEN 'collect' ELSE 'deduct' END,
        _amount, _transaction_type, _description, _metadata, _idempotency_key
    ) AS b;
END
$$;

-- Gives credits (add, refund) or corrects a balance (set, adjust; an adjustment may be negative and stops at
-- 0).
--     SELECT * FROM grant_credits('user_demo', 5, 'earned', 'Referral reward', '{"referral_id": "..."}');
CREATE FUNCTION public.grant_credits(
    _user_id text,
    _amount integer,
    _transaction_type text DEFAULT NULL,
    _description text DEFAULT NULL,
    _metadata jsonb DEFAULT '{}',
    _idempotency_key text DEFAULT NULL,
    _operation text DEFAULT 'add',
    OUT outcome text,
    OUT previous_balance integer,
    OUT new_balance integer,
    OUT amount_changed integer,
    OUT transaction_id uuid,
    OUT replayed boolean
)
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    IF _operation IS NULL OR _operation NOT IN ('add', 'refund', 'set', 'adjust') THEN
        RAISE EXCEPTION 'operation "%" is not one of add, refund, set, adjust', _operation
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF _amount IS NULL
        OR (_operation IN ('add', 'refund') AND _amount < 1)
        OR (_operation = 'set' AND _amount < 0)
        OR (_operation = 'adjust' AND _amount = 0)
    THEN
        RAISE EXCEPTION 'amount % is not allowed for operation "%"', _amount, _operation
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    SELECT b.*
    INTO outcome, previous_balance, new_balance, amount_changed, transaction_id, replayed
    FROM edge.book_credits(
        _user_id, _operation, _amount, _transaction_type, _description, _metadata, _idempotency_key
    ) AS b;
END
$$;

REVOKE ALL ON FUNCTION
    edge.book_credits(text, text, integer, text, text, jsonb, text),
    public.spend_credits(text, integer, text, text, jsonb, text, boolean),
    public.grant_credits(text, integer, text, text, jsonb, text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    edge.book_credits(text, text, integer, text, text, jsonb, text),
    public.spend_credits(text, integer, text, text, jsonb, text, boolean),
    public.grant_credits(text, integer, text, text, jsonb, text, text)
    TO service_role;
