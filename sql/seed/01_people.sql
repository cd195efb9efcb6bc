-- People: invented agents at different stages, an administrator, and the system profile.
--
-- Every seed row has a fixed id (made from a text where it is a uuid) and is inserted with ON CONFLICT DO NOTHING, so
-- the files may be loaded again at any time. Dates are relative to the first load.

SET LOCAL ROLE service_role;

INSERT INTO public.profiles
    (id, email, full_name, phone, license_number, license_state, brokerage, role, subscription_tier,
        subscription_status, created_at, updated_at)
VALUES
    ('system', 'system@pulse.ai', 'System', NULL, NULL, NULL, NULL,
        'user', 'Free', 'active', now() - interval '400 days', now() - interval '400 days'),
    ('user_admin', 'admin@example.com', 'Morgan Hale', '+15125550190', NULL, 'TX', 'Pulse Demo Realty',
        'admin', 'Admin', 'active', now() - interval '300 days', now() - interval '1 day'),
    ('user_demo', 'demo@example.com', 'Jamie Calloway', '+15125550101', 'TX-0418822', 'TX', 'Bluebonnet Realty',
        'user', 'Subscriber', 'active', now() - interval '200 days', now() - interval '2 hours'),
    ('user_rosa', 'rosa@example.com', 'Rosa Delgado', '+16025550112', 'AZ-551290', 'AZ', 'Saguaro Homes',
        'user', 'Subscriber', 'active', now() - interval '150 days', now() - interval '1 day'),
    ('user_tom', 'tom@example.com', 'Tom Okafor', '+17045550123', 'NC-338104', 'NC', 'Piedmont Partners',
        'user', 'Free', 'active', now() - interval '90 days', now() - interval '3 days'),
    ('user_lena', 'lena@example.com', 'Lena Fischer', '+16145550134', 'OH-220417', 'OH', 'Buckeye Brokers',
        'user', 'Free', 'active', now() - interval '45 days', now() - interval '6 days'),
    ('user_kai', 'kai@example.com', 'Kai Nakamura', '+12065550145', 'WA-903311', 'WA', 'Sound & Summit',
        'user', 'Investor', 'active', now() - interval '120 days', now() - interval '12 hours'),
    ('user_bree', 'bree@example.com', 'Bree Whitaker', '+12075550156', 'ME-118230', 'ME', 'Harbor Light',
        'user', 'Subscriber', 'past_due', now() - interval '260 days', now() - interval '20 days'),
    ('user_new', 'new@example.com', 'Sam Ito', NULL, NULL, NULL, NULL,
        'user', 'Free', 'active', now() - interval '1 hour', now() - interval '1 hour')
ON CONFLICT DO NOTHING;

INSERT INTO public.user_roles (id, user_id, role)
VALUES (md5('seed/role/user_admin')::uuid, 'user_admin', 'admin')
ON CONFLICT DO NOTHING;

INSERT INTO public.user_onboarding
    (id, user_id, onboarding_completed, agent_onboarding_completed, call_center_onboarding_completed,
        completed_steps, onboarding_completion_date, agent_intelligence_completed,
        agent_intelligence_completion_date, disclosure_accepted, disclosure_acceptance_timestamp,
        goals_setup_completed, goals_completion_date, highlevel_webhook_sent)
SELECT
    md5('seed/onboarding/' || o.user_id)::uuid, o.user_id, o.done, o.done, o.calls, o.steps,
    CASE WHEN o.done THEN now() - o.age END, o.done, CASE WHEN o.done THEN now() - o.age END,
    o.done, CASE WHEN o.done THEN now() - o.age END, o.done, CASE WHEN o.done THEN now() - o.age END, false
FROM (VALUES
    ('user_admin', true, false, ARRAY['market', 'brand', 'goals'], interval '299 days'),
    ('user_demo', true, true,
        ARRAY['market', 'brand', 'goals', 'phone', 'voice', 'identity', 'workspace', 'call-confirm'],
        interval '198 days'),
    ('user_rosa', true, false, ARRAY['market', 'brand', 'goals'], interval '149 days'),
    ('user_tom', true, false, ARRAY['market', 'brand', 'goals'], interval '88 days'),
    ('user_lena', false, false, ARRAY['market'], interval '0 days'),
    ('user_kai', true, false, ARRAY['market', 'brand', 'goals'], interval '118 days'),
    ('user_bree', true, false, ARRAY['market', 'brand', 'goals'], interval '255 days')
) AS o (user_id, done, calls, steps, age)
ON CONFLICT DO NOTHING;

INSERT INTO public.user_preferences
    (id, user_id, brand_primary_color, brand_secondary_color, brand_accent_color, communication_style,
        content_themes, email_categories, coaching_style, activity_mode, timezone, market_updates)
SELECT md5('seed/preferences/' || p.user_id)::uuid, p.*
FROM (VALUES
    ('user_admin', '#7C3AED', '#F1F5F9', '#3B82F6', 'professional', ARRAY['market updates'],
        ARRAY['weekly'], 'balanced', 'get_moving', 'America/Chicago', true),
    ('user_demo', '#0F766E', '#F0FDFA', '#F59E0B', 'friendly', ARRAY['first-time buyers', 'neighbourhoods'],
        ARRAY['daily', 'weekly', 'market'], 'direct', 'building_momentum', 'America/Chicago', true),
    ('user_rosa', '#B91C1C', '#FEF2F2', '#D97706', 'warm', ARRAY['relocation', 'desert living'],
        ARRAY['daily', 'weekly'], 'supportive', 'do_the_most', 'America/Phoenix', true),
    ('user_tom', '#1D4ED8', '#EFF6FF', '#10B981', 'professional', ARRAY['investing'],
        ARRAY['weekly'], 'balanced', 'get_moving', 'America/New_York', false),
    ('user_lena', '#4D7C0F', '#F7FEE7', '#0EA5E9', 'casual', ARRAY['downsizing'],
        ARRAY['daily'], 'supportive', 'tried_it_all', 'America/New_York', true),
    ('user_kai', '#1E293B', '#F8FAFC', '#06B6D4', 'professional', ARRAY['waterfront', 'investing'],
        ARRAY['daily', 'market'], 'direct', 'do_the_most', 'America/Los_Angeles', true),
    ('user_bree', '#9D174D', '#FDF2F8', '#2563EB', 'friendly', ARRAY['second homes'],
        ARRAY['weekly', 'market'], 'balanced', 'building_momentum', 'America/New_York', true)
) AS p (user_id, brand_primary_color, brand_secondary_color, brand_accent_color, communication_style,
    content_themes, email_categories, coaching_style, activity_mode, timezone, market_updates)
ON CONFLICT DO NOTHING;

INSERT INTO public.agent_intelligence_profiles
    (id, user_id, experience_level, work_commitment, business_structure, database_size, sphere_warmth,
        previous_year_transactions, previous_year_volume, average_price_point, business_consistency,
        biggest_challenges, growth_timeline, learning_preference, survey_completed_at)
SELECT md5('seed/intelligence/' || i.user_id)::uuid, i.*, now() - interval '40 days'
FROM (VALUES
    ('user_demo', '3-5 years', 'full-time', 'solo', '250-500', 'warm', 14, 5880000, '$400k-$500k', 'seasonal',
        ARRAY['follow-up', 'listing appointments'], '12 months', 'hands-on'),
    ('user_rosa', '6-10 years', 'full-time', 'team lead', '500-1000', 'hot', 27, 11340000, '$400k-$500k', 'steady',
        ARRAY['delegation'], '6 months', 'reading'),
    ('user_tom', '1-2 years', 'part-time', 'solo', '50-100', 'cool', 3, 960000, '$300k-$400k', 'irregular',
        ARRAY['lead generation', 'time'], '24 months', 'video'),
    ('user_kai', '10+ years', 'full-time', 'team', '1000+', 'hot', 41, 38950000, '$900k+', 'steady',
        ARRAY['hiring'], '12 months', 'discussion')
) AS i (user_id, experience_level, work_commitment, business_structure, database_size, sphere_warmth,
    previous_year_transactions, previous_year_volume, average_price_point, business_consistency,
    biggest_challenges, growth_timeline, learning_preference)
ON CONFLICT DO NOTHING;

INSERT INTO public.user_agent_subscriptions
    (id, user_id, agent_type, subscription_tier, plan_type, is_active, status, minutes_allocated,
        current_minutes_used, overage_rate, billing_cycle_start, billing_cycle_end, gohighlevel_order_id,
        shopify_order_id, source_platform)
SELECT
    md5('seed/subscription/' || s.user_id || '/' || s.agent_type)::uuid, s.user_id, s.agent_type, s.label, s.label,
    s.active, CASE WHEN s.active THEN 'active' ELSE 'inactive' END, s.minutes, s.used, s.overage,
    now() - interval '12 days', now() + interval '18 days', s.ghl, s.shopify, s.source
FROM (VALUES
    ('user_demo', 'core', 'Professional', true, 300, 84, 0.35, 'ghl-demo-1001', NULL, 'gohighlevel'),
    ('user_rosa', 'core', 'Enterprise', true, NULL, 412, 0.00, NULL, '820980000001', 'shopify'),
    ('user_kai', 'core', 'Professional', true, 300, 300, 0.00, NULL, '820980000002', 'shopify'),
    ('user_bree', 'core', 'Starter', false, 100, 61, 0.00, 'ghl-demo-1002', NULL, 'gohighlevel')
) AS s (user_id, agent_type, label, active, minutes, used, overage, ghl, shopify, source)
ON CONFLICT DO NOTHING;

INSERT INTO public.autopilot_permissions (user_id, permission, allowed, updated_by)
VALUES
    ('user_demo', 'executive_assistant.send_email', true, 'user_admin'),
    ('user_demo', 'executive_assistant.schedule_appointment', true, 'user_admin'),
    ('user_demo', 'content_agent.generate_content', true, 'user_admin'),
    ('user_demo', 'content_agent.schedule_content', false, 'user_admin'),
    ('user_demo', 'transaction_coordinator.create_task', true, 'user_admin'),
    ('user_rosa', 'executive_assistant.send_email', false, 'user_admin')
ON CONFLICT DO NOTHING;

INSERT INTO public.referrals
    (id, referrer_user_id, referred_email, referred_user_id, status, reward_granted, created_at)
VALUES
    (md5('seed/referral/1')::uuid, 'user_demo', 'lena@example.com', 'user_lena', 'completed', true,
        now() - interval '44 days'),
    (md5('seed/referral/2')::uuid, 'user_demo', 'priya@example.com', NULL, 'pending', false,
        now() - interval '5 days'),
    (md5('seed/referral/3')::uuid, 'user_rosa', 'new@example.com', NULL, 'pending', false,
        now() - interval '2 days')
ON CONFLICT DO NOTHING;

INSERT INTO public.brand_color_palettes
    (id, user_id, palette_name, primary_color, secondary_color, accent_color, is_active, palette_id)
VALUES
    (md5('seed/palette/violet')::uuid, 'system', 'Violet Hour', '#7C3AED', '#F1F5F9', '#3B82F6', true, 'violet-hour'),
    (md5('seed/palette/harbor')::uuid, 'system', 'Harbor Slate', '#1E3A8A', '#F8FAFC', '#F97316', true, 'harbor-slate'),
    (md5('seed/palette/meadow')::uuid, 'system', 'Meadow', '#3F6212', '#F7FEE7', '#EAB308', true, 'meadow'),
    (md5('seed/palette/retired')::uuid, 'system', 'Old Copper', '#9A3412', '#FFF7ED', '#0891B2', false, 'old-copper'),
    (md5('seed/palette/admin')::uuid, 'user_admin', 'Campaign Autumn', '#7C2D12', '#FFFBEB', '#15803D', true,
        'campaign-autumn'),
    (md5('seed/palette/demo')::uuid, 'user_demo', 'Bluebonnet', '#0F766E', '#F0FDFA', '#F59E0B', true, NULL)
ON CONFLICT DO NOTHING;
