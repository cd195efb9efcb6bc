-- Identity: profiles, roles, and who counts as an administrator.

CREATE TYPE public.app_role AS ENUM ('admin', 'user');

-- profiles: one row a person. The id is the identity provider's ("user_..."), text, and every user_id refers to
-- it.
CREATE TABLE public.profiles (
    id                  text        PRIMARY KEY,
    email               text,
    full_name           text,
    avatar_url          text,
    phone               text,
    license_number      text,
    license_state       text,
    brokerage           text,
    role                text        DEFAULT 'user',
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now(),
    subscription_tier   text        DEFAULT 'Free',
    subscription_status text        DEFAULT 'active'
);

CREATE INDEX profiles_email_idx
    ON public.profiles (lower(email));

CREATE INDEX profiles_created_at_id_idx
    ON public.profiles (created_at DESC, id DESC);

CREATE INDEX profiles_updated_at_idx
    ON public.profiles (updated_at);

CREATE TRIGGER profiles_set_updated_at
    BEFORE UPDATE ON public.profiles
    FOR EACH ROW
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.profiles FORCE ROW LEVEL SECURITY;

-- role, subscription_tier and subscription_status are the service's: a user who could write them would give
-- himself a plan. No client role deletes profiles but administrators, by policy.
GRANT SELECT, DELETE ON public.profiles TO authenticated;
GRANT INSERT (
        id, email, full_name, avatar_url, phone, license_number, license_state, brokerage,
        created_at, updated_at
    ) ON public.profiles TO authenticated;
GRANT UPDATE (
        id, email, full_name, avatar_url, phone, license_number, license_state, brokerage,
        created_at, updated_at
    ) ON public.profiles TO authenticated;
GRANT ALL ON public.profiles TO service_role;

-- user_roles: who is an administrator. The row decides; profiles.role is a copy for display.
CREATE TABLE public.user_roles (
    id         uuid            PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    text            NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    role       public.app_role NOT NULL DEFAULT 'user',
    created_at timestamptz     DEFAULT now(),
    UNIQUE (user_id, role)
);

CREATE INDEX user_roles_user_id_idx
    ON public.user_roles (user_id)
    WHERE role = 'admin';

ALTER TABLE public.user_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.user_roles FORCE ROW LEVEL SECURITY;

GRANT SELECT ON public.user_roles TO authenticated;
GRANT ALL ON public.user_roles TO service_role;

-- SECURITY DEFINER functions belong to service_role, not to the role that migrates: they need to look past row
-- security (which is forced, so even the owner is subject to it) and should be able to do nothing else. To be
-- made an owner a role needs CREATE on the schema when no superuser migrates; taken back at the end of the
-- file.
GRANT CREATE ON SCHEMA public, edge TO service_role;

CREATE FUNCTION public.has_role(_user_id text, _role public.app_role) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = ''
AS $$
    SELECT EXISTS (
        SELECT
        FROM public.user_roles
        WHERE user_id = _user_id
            AND role = _role
    )
$$;

ALTER FUNCTION public.has_role(text, public.app_role) OWNER TO service_role;

REVOKE ALL ON FUNCTION public.has_role(text, public.app_role) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.has_role(text, public.app_role) TO authenticated, service_role;

-- Whether this session acts with an administrator's rights: it was raised (the runtime sets the claim, it is
-- never taken from a token) and the caller has the role. Administrators' policies are for role edge_admin,
-- which the runtime takes for raised sessions only, and test this as well: neither the role nor the claim is
-- enough. An administrator's ordinary page is not raised and sees own rows only.
CREATE FUNCTION edge.is_admin() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(edge.claims() -> 'edge_admin' = 'true'::jsonb, false)
        AND public.has_role(edge.user_id(), 'admin');

REVOKE ALL ON FUNCTION edge.is_admin() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION edge.is_admin() TO authenticated, service_role;

CREATE POLICY profiles_select_own ON public.profiles
    FOR SELECT TO authenticated
    USING (id = (SELECT edge.user_id()));

CREATE POLICY profiles_insert_own ON public.profiles
    FOR INSERT TO authenticated
    WITH CHECK (id = (SELECT edge.user_id()));

CREATE POLICY profiles_update_own ON public.profiles
    FOR UPDATE TO authenticated
    USING (id = (SELECT edge.user_id()))
    WITH CHECK (id = (SELECT edge.user_id()));

CREATE POLICY profiles_select_admin ON public.profiles
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY profiles_insert_admin ON public.profiles
    FOR INSERT TO edge_admin
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY profiles_update_admin ON public.profiles
    FOR UPDATE TO edge_admin
    USING ((SELECT edge.is_admin()))
    WITH CHECK ((SELECT edge.is_admin()));

CREATE POLICY profiles_delete_admin ON public.profiles
    FOR DELETE TO edge_admin
    USING ((SELECT edge.is_admin()));

CREATE POLICY user_roles_select_own ON public.user_roles
    FOR SELECT TO authenticated
    USING (user_id = (SELECT edge.user_id()));

CREATE POLICY user_roles_select_admin ON public.user_roles
    FOR SELECT TO edge_admin
    USING ((SELECT edge.is_admin()));

-- Gives or takes the administrator's role. The caller must be an administrator; the last one cannot be removed,
-- and two who demote each other at the same moment cannot both succeed: whoever changes the set locks all of it
-- first, in one order.
CREATE FUNCTION public.admin_set_user_role(_target_user_id text, _role public.app_role) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    PERFORM
    FROM public.user_roles
    WHERE role = 'admin'
    ORDER BY id
    FOR UPDATE;

    IF public.has_role(edge.user_id(), 'admin') IS NOT TRUE THEN
        RAISE EXCEPTION 'only an administrator may change roles'
            USING ERRCODE = 'insufficient_privilege';
    END IF;

    IF NOT EXISTS (SELECT FROM public.profiles WHERE id = _target_user_id) THEN
        RAISE EXCEPTION 'profile "%" does not exist', _target_user_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;

    IF _role = 'admin' THEN
        INSERT INTO public.user_roles (user_id, role)
        VALUES (_target_user_id, 'admin')
        ON CONFLICT DO NOTHING;
    ELSE
        IF public.has_role(_target_user_id, 'admin')
            AND NOT EXISTS (SELECT FROM public.user_roles WHERE role = 'admin' AND user_id <> _target_user_id)
        THEN
            RAISE EXCEPTION 'profile "%" is the last administrator', _target_user_id
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;

        DELETE FROM public.user_roles
        WHERE user_id = _target_user_id
            AND role = 'admin';

        INSERT INTO public.user_roles (user_id, role)
        VALUES (_target_user_id, 'user')
        ON CONFLICT DO NOTHING;
    END IF;

    UPDATE public.profiles
    SET role = _role::text
    WHERE id = _target_user_id;
END
$$;

ALTER FUNCTION public.admin_set_user_role(text, public.app_role) OWNER TO service_role;
REVOKE ALL ON FUNCTION public.admin_set_user_role(text, public.app_role) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.admin_set_user_role(text, public.app_role) TO authenticated, service_role;

-- A new profile gets its default role row. A definer's rights, because a user who inserts the own profile may
-- not write roles. Everything else a new user needs is initializeUserData's.
CREATE FUNCTION public.handle_new_profile() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.user_roles (user_id, role)
    VALUES (NEW.id, 'user')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

ALTER FUNCTION public.handle_new_profile() OWNER TO service_role;
REVOKE ALL ON FUNCTION public.handle_new_profile() FROM PUBLIC;

CREATE TRIGGER profiles_handle_new_profile
    AFTER INSERT ON public.profiles
    FOR EACH ROW
    EXECUTE FUNCTION public.handle_new_profile();

REVOKE CREATE ON SCHEMA public, edge FROM service_role;
