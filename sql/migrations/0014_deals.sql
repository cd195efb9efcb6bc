-- Deals and the people in them.

-- contacts: people from a CRM, one row a user, source and the source's id.
CREATE TABLE public.contacts (
    id                uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    source            text        NOT NULL,
    external_id       text        NOT NULL,
    name              text        NOT NULL,
    email             text,
    phone             text,
    status            text        NOT NULL DEFAULT 'lead',
    metadata          jsonb       NOT NULL DEFAULT '{}',
    source_updated_at timestamptz,
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now(),
    UNIQUE (user_id, source, external_id)
);

CREATE INDEX contacts_user_id_email_idx
    ON public.contacts (user_id, lower(email));

CREATE TRIGGER contacts_set_updated_at
    BEFORE UPDATE ON public.contacts
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER contacts_set_user_id
    BEFORE INSERT ON public.contacts
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.contacts FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.contacts TO authenticated;
GRANT ALL ON public.contacts TO service_role;

CREATE POLICY contacts_select_own ON public.contacts
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY contacts_insert_own ON public.contacts
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY contacts_update_own ON public.contacts
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY contacts_delete_own ON public.contacts
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY contacts_select_admin ON public.contacts
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY contacts_insert_admin ON public.contacts
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY contacts_update_admin ON public.contacts
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY contacts_delete_admin ON public.contacts
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

-- transactions: deals, entered here or synced. The partial unique indexes are the upsert key of the Lofty sync
-- and the guard against a repeated create; the last one serves the closed-deals report, whose date is
-- expected_close_date, else the UTC day of updated_at.
CREATE TABLE public.transactions (
    id                  uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id             text        NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    transaction_type    text        NOT NULL,
    property_address    text,
    client_name         text,
    status              text        DEFAULT 'pending',
    expected_close_date date,
    commission_amount   numeric,
    notes               text,
    metadata            jsonb       DEFAULT '{}',
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now()
);

CREATE UNIQUE INDEX transactions_user_id_lofty_id_idx
    ON public.transactions (user_id, (metadata ->> 'lofty_id'))
    WHERE metadata ? 'lofty_id';

CREATE UNIQUE INDEX transactions_user_id_idempotency_key_idx
    ON public.transactions (user_id, (metadata ->> 'idempotency_key'))
    WHERE metadata ? 'idempotency_key';

CREATE INDEX transactions_user_id_created_at_id_idx
    ON public.transactions (user_id, created_at DESC, id DESC);

CREATE INDEX transactions_user_id_expected_close_date_idx
    ON public.transactions (user_id, expected_close_date);

CREATE INDEX transactions_close_day_idx
    ON public.transactions ((coalesce(expected_close_date, (updated_at AT TIME ZONE 'utc')::date)));

CREATE TRIGGER transactions_set_updated_at
    BEFORE UPDATE ON public.transactions
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER transactions_set_user_id
    BEFORE INSERT ON public.transactions
    FOR EACH ROW
    WHEN (NEW.user_id IS NULL)
    EXECUTE FUNCTION public.set_user_id();

ALTER TABLE public.transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.transactions FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.transactions TO authenticated;
GRANT ALL ON public.transactions TO service_role;

CREATE POLICY transactions_select_own ON public.transactions
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY transactions_insert_own ON public.transactions
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY transactions_update_own ON public.transactions
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT edge.user_id()))
    WITH CHECK (user_id = (SELECT edge.user_id()));

CREATE POLICY transactions_delete_own ON public.transactions
    FOR DELETE TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY transactions_select_admin ON public.transactions
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY transactions_insert_admin ON public.transactions
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY transactions_update_admin ON public.transactions
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY transactions_delete_admin ON public.transactions
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));
