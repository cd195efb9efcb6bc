-- Work: territory, plan, goals, the last 40 days of actions, deals, contacts and what was made and mailed.

SET LOCAL ROLE service_role;

INSERT INTO public.market_config
    (id, user_id, market_name, state, city, average_price, median_dom, inventory_level, market_trend)
SELECT md5('seed/market/' || m.user_id)::uuid, m.*
FROM (VALUES
    ('user_admin', 'Primary Market', NULL, NULL, NULL::numeric, NULL::integer, NULL, NULL),
    ('user_demo', 'Austin Metro', 'TX', 'Austin', 452000, 41, 'moderate', 'warming'),
    ('user_rosa', 'Phoenix East Valley', 'AZ', 'Mesa', 428500, 33, 'low', 'hot'),
    ('user_tom', 'Charlotte', 'NC', 'Charlotte', 389000, 62, 'moderate', 'cooling'),
    ('user_lena', 'Columbus North', 'OH', 'Columbus', 315000, 27, 'low', 'warming'),
    ('user_kai', 'Seattle Eastside', 'WA', 'Bellevue', 1180000, 24, 'low', 'hot'),
    ('user_bree', 'Midcoast', 'ME', 'Rockland', 498000, 95, 'high', 'cold')
) AS m (user_id, market_name, state, city, average_price, median_dom, inventory_level, market_trend)
ON CONFLICT DO NOTHING;

-- Fractions as activateProductionPlan stores them.
INSERT INTO public.business_plans
    (id, user_id, annual_gci_goal, transactions_needed, average_commission, lead_sources, conversion_rates,
        monthly_breakdown, plan_year, net_income_goal, avg_sale_price, brokerage_cap, gci_required, total_volume,
        tax_rate, commission_rate, buyer_seller_split, total_deals_needed, buyer_deals, listing_deals,
        total_conversations, total_appointments, total_agreements, total_contracts)
SELECT
    md5('seed/plan/' || p.user_id)::uuid, p.user_id, p.gci, p.deals, round(p.gci / p.deals, 2),
    '{"sphere": 45, "open houses": 20, "online": 25, "referrals": 10}',
    '{"conversationToAppointment": 12, "appointmentToAgreement": 55, "agreementToContract": 80}',
    (SELECT jsonb_object_agg(m, round(p.gci / 12, 2)) FROM generate_series(1, 12) AS m),
    extract(year FROM now())::integer, p.gci * 0.62, p.price, 18000, p.gci, p.deals * p.price,
    0.24, 0.027, 0.55, p.deals, round(p.deals * 0.55), p.deals - round(p.deals * 0.55),
    p.deals * 60, p.deals * 7, p.deals * 4, p.deals * 1.2
FROM (VALUES
    ('user_demo', 180000::numeric, 16, 452000),
    ('user_rosa', 320000::numeric, 28, 428500),
    ('user_tom', 60000::numeric, 6, 389000),
    ('user_kai', 900000::numeric, 30, 1180000)
) AS p (user_id, gci, deals, price)
ON CONFLICT DO NOTHING;

-- The demo agent's annual goals are one closed deal behind the deals below, so that a sync has something to do.
INSERT INTO public.goals
    (id, user_id, title, goal_type, category, target_value, current_value, unit, timeframe, deadline,
        confidence_score, status, progress_percentage, trend, created_at)
SELECT
    md5('seed/goal/' || g.user_id || '/' || g.title)::uuid, g.user_id, g.title, g.goal_type, g.category,
    g.target, g.current, g.unit, CASE g.goal_type WHEN 'annual' THEN 'year' ELSE 'quarter' END,
    CASE g.goal_type
        WHEN 'annual' THEN make_date(extract(year FROM now())::integer, 12, 31)
        ELSE current_date + 60
    END,
    least(100, round(100 * g.current / g.target))::integer,
    CASE WHEN g.current >= g.target THEN 'completed' ELSE 'active' END,
    least(100, round(100 * g.current / g.target))::integer,
    CASE
        WHEN g.current >= g.target THEN 'completed'
        WHEN g.current >= 0.8 * g.target THEN 'on-track'
        WHEN g.current >= 0.5 * g.target THEN 'behind'
        ELSE 'at-risk'
    END,
    now() - interval '60 days' + g.position * interval '1 minute'
FROM (VALUES
    ('user_demo', 'Annual GCI', 'annual', 'production', 180000::numeric, 12150::numeric, 'USD', 1),
    ('user_demo', 'Total Transactions', 'annual', 'production', 16, 1, 'closings', 2),
    ('user_demo', 'Buyer Transactions', 'annual', 'production', 9, 1, 'closings', 3),
    ('user_demo', 'Listing Transactions', 'annual', 'production', 7, 0, 'closings', 4),
    ('user_demo', 'Total Sales Volume', 'annual', 'production', 7232000, 450000, 'USD', 5),
    ('user_demo', 'Total Conversations', 'annual', 'activity', 960, 512, 'conversations', 6),
    ('user_demo', 'Total Appointments', 'annual', 'activity', 112, 58, 'appointments', 7),
    ('user_demo', 'Total Agreements', 'annual', 'activity', 64, 30, 'agreements', 8),
    ('user_demo', 'Total Contracts', 'annual', 'activity', 19, 11, 'contracts', 9),
    ('user_demo', 'Five-star reviews', 'custom', NULL, 20, 17, 'reviews', 10),
    ('user_demo', 'Host open houses', 'custom', NULL, 6, 6, 'open houses', 11),
    ('user_rosa', 'Annual GCI', 'annual', 'production', 320000, 268000, 'USD', 1),
    ('user_rosa', 'Total Transactions', 'annual', 'production', 28, 24, 'closings', 2),
    ('user_rosa', 'Train a buyer agent', 'custom', NULL, 1, 0, 'agents', 3),
    ('user_tom', 'Annual GCI', 'annual', 'production', 60000, 11500, 'USD', 1),
    ('user_tom', 'Grow the database', 'custom', NULL, 200, 84, 'contacts', 2),
    ('user_kai', 'Annual GCI', 'annual', 'production', 900000, 610000, 'USD', 1)
) AS g (user_id, title, goal_type, category, target, current, unit, position)
ON CONFLICT DO NOTHING;

-- Forty days back and five ahead. What is done follows from the day and the position alone, so that scores, completion
-- rates and mails differ between people but not between two fresh databases.
INSERT INTO public.daily_actions
    (id, user_id, title, description, category, priority, status, due_date, scheduled_time, duration_minutes,
        completed_at, created_at)
SELECT
    md5('seed/action/' || who.user_id || '/' || day || '/' || what.position)::uuid, who.user_id, what.title,
    what.description, what.category, what.priority,
    CASE
        WHEN day < 0 THEN 'pending'
        WHEN (day * 7 + what.position * 13) % 100 < who.diligence THEN 'completed'
        WHEN (day + what.position) % 9 = 0 THEN 'skipped'
        WHEN day = 0 THEN 'in_progress'
        ELSE 'pending'
    END,
    current_date - day, what.at, what.minutes,
    CASE
        WHEN day >= 0 AND (day * 7 + what.position * 13) % 100 < who.diligence
        THEN least(now(), current_date - day + what.at + interval '1 hour')
    END,
    least(now(), current_date - greatest(day, 0) + time '06:00')
FROM (VALUES
    ('user_demo', 72, 3), ('user_rosa', 90, 4), ('user_tom', 34, 1), ('user_kai', 81, 2)
) AS who (user_id, diligence, a_day)
CROSS JOIN generate_series(-5, 40) AS day
CROSS JOIN (VALUES
    (1, 'Call five past clients', 'Ask how the house is holding up; listen for a move within the year.',
        'power_hour', 'high', time '09:00', 45),
    (2, 'Follow up on open inquiries', 'Everyone who wrote in the last three days gets an answer.',
        'follow_up', 'high', time '10:00', 30),
    (3, 'Post one local story', 'A street, a shop, a price change: something only a local knows.',
        'marketing', 'medium', time '13:00', 20),
    (4, 'Preview two new listings', 'Note one strength and one objection for each.',
        'market_knowledge', 'low', time '15:30', 60)
) AS what (position, title, description, category, priority, at, minutes)
WHERE what.position <= who.a_day
ON CONFLICT DO NOTHING;

INSERT INTO public.transactions
    (id, user_id, transaction_type, property_address, client_name, status, expected_close_date, commission_amount,
        notes, metadata, created_at)
SELECT
    md5('seed/deal/' || d.user_id || '/' || d.address)::uuid, d.user_id, d.type, d.address, d.client, d.status,
    current_date + d.closes_in, d.commission, d.notes,
    jsonb_build_object('sale_price', d.price) || CASE
        WHEN d.status = 'closed'
        THEN jsonb_build_object('closed_at', to_char(now() + make_interval(days => d.closes_in), 'YYYY-MM-DD'))
        ELSE '{}'
    END,
    now() - make_interval(days => d.age)
FROM (VALUES
    ('user_demo', 'buyer', '12 Oak Lane, Austin, TX', 'Priya and Neil Shah', 'closed', -21, 12150, 450000,
        'Seller paid for the roof', 80),
    ('user_demo', 'seller', '48 Lake Road, Austin, TX', 'Walter Brandt', 'closed', -9, 14040, 520000,
        'Two offers in the first weekend', 64),
    ('user_demo', 'buyer', '7 Juniper Court, Round Rock, TX', 'Amara Obi', 'under_contract', 12, 10260, 380000,
        'Inspection on Thursday', 30),
    ('user_demo', 'seller', '301 Cedar Bend, Austin, TX', 'Dolores Quint', 'active', 45, 17550, 650000,
        'Staging done', 18),
    ('user_demo', 'buyer', '88 Pecan Street, Kyle, TX', 'The Hendersons', 'pending', 60, 8640, 320000, NULL, 6),
    ('user_demo', 'buyer', '5 Willow Way, Buda, TX', 'Marcus Lind', 'cancelled', -3, 9450, 350000,
        'Financing fell through', 50),
    ('user_rosa', 'seller', '1450 E Palo Verde Dr, Mesa, AZ', 'Frank and Iris Moreno', 'closed', -15, 11569, 428500,
        NULL, 70),
    ('user_rosa', 'buyer', '22 Ocotillo Trail, Gilbert, AZ', 'Hana Suzuki', 'under_contract', 20, 12690, 470000,
        'Appraisal ordered', 25),
    ('user_tom', 'buyer', '910 Magnolia Ave, Charlotte, NC', 'Devon Price', 'pending', 50, 9180, 340000, NULL, 10),
    ('user_kai', 'seller', '3 Marina View, Kirkland, WA', 'Estate of B. Lund', 'closed', -5, 39150, 1450000,
        'Cash, no contingencies', 40)
) AS d (user_id, type, address, client, status, closes_in, commission, price, notes, age)
ON CONFLICT DO NOTHING;

INSERT INTO public.contacts
    (id, user_id, source, external_id, name, email, phone, status, metadata, source_updated_at)
SELECT
    md5('seed/contact/' || c.user_id || '/' || c.external_id)::uuid, c.user_id, 'lofty', c.external_id, c.name,
    c.email, c.phone, c.status,
    jsonb_build_object('lofty_id', c.external_id, 'tags', c.tags, 'lead_source', c.lead_source),
    now() - make_interval(days => c.age)
FROM (VALUES
    ('user_demo', '70001', 'Priya Shah', 'priya@example.com', '+15125550161', 'past client',
        '["past client"]'::jsonb, 'referral', 21),
    ('user_demo', '70002', 'Amara Obi', 'amara@example.com', '+15125550162', 'under contract',
        '["buyer"]', 'open house', 2),
    ('user_demo', '70003', 'Dolores Quint', 'dolores@example.com', '+15125550163', 'client', '["seller"]',
        'sphere', 4),
    ('user_demo', '70004', 'Grant Ellery', 'grant@example.com', NULL, 'lead', '["investor"]', 'website', 1),
    ('user_demo', '70005', 'June Park', NULL, '+15125550165', 'lead', '[]', 'website', 9),
    ('user_rosa', '80001', 'Hana Suzuki', 'hana@example.com', '+16025550171', 'under contract', '["buyer"]',
        'referral', 3)
) AS c (user_id, external_id, name, email, phone, status, tags, lead_source, age)
ON CONFLICT DO NOTHING;

INSERT INTO public.generated_content (id, user_id, content_type, title, content, metadata, prompt_used, created_at)
VALUES
    (md5('seed/content/1')::uuid, 'user_demo', 'social_post', 'Why the second weekend matters',
        'Most buyers tour on the first weekend and decide on the second. If your listing is quiet on day nine, the '
        'photos are rarely the reason: look at the first sentence of the description.',
        '{"platform": "facebook", "tone": "educational"}', 'A post about listing momentum', now() - interval '6 days'),
    (md5('seed/content/2')::uuid, 'user_demo', 'email', 'Three questions before you list',
        'What has to be true for you to move? What would make you stay? Who else needs to agree? Ten minutes on these '
        'saves weeks later.', '{"audience": "sellers"}', 'Short mail to possible sellers', now() - interval '3 days'),
    (md5('seed/content/3')::uuid, 'user_rosa', 'video_script', 'Ninety seconds on summer showings',
        'Show before ten. Leave the blinds half open. Put a cold drink by the door: people stay where they are cool.',
        '{"duration": 90}', 'Script on showings in the heat', now() - interval '10 hours')
ON CONFLICT DO NOTHING;

INSERT INTO public.email_campaigns
    (id, user_id, campaign_name, template_id, status, recipients, scheduled_at, sent_at, metrics)
SELECT
    md5('seed/campaign/' || c.name)::uuid, 'user_demo', c.name,
    (SELECT id FROM public.email_templates WHERE template_key = 'client_check_in'),
    c.status, c.recipients, now() + c.due, c.sent, c.metrics
FROM (VALUES
    ('Spring check-in', 'sent', '["priya@example.com", "dolores@example.com"]'::jsonb, -interval '20 days',
        now() - interval '20 days', '{"delivered": 2, "opened": 1, "clicked": 1}'::jsonb),
    ('Open house invitation', 'draft', '["grant@example.com"]', interval '4 days', NULL, '{}')
) AS c (name, status, recipients, due, sent, metrics)
ON CONFLICT DO NOTHING;

INSERT INTO public.email_delivery_logs (id, user_id, email_type, template_key, sent_at, metadata)
SELECT
    md5('daily:user_demo:' || to_char(current_date - day, 'YYYY-MM-DD'))::uuid, 'user_demo', 'daily', 'daily_email',
    current_date - day + time '12:30',
    jsonb_build_object(
        'period', to_char(current_date - day, 'YYYY-MM-DD'), 'status', 'sent', 'attempts', 1,
        'providerMessageId', 'seed-daily-' || day, 'actionCount', 3, 'pulseScore', 70
    )
FROM generate_series(1, 7) AS day
WHERE NOT EXISTS (
    SELECT
    FROM public.email_delivery_logs
    WHERE user_id = 'user_demo'
        AND metadata ->> 'providerMessageId' = 'seed-daily-' || day
)
ON CONFLICT DO NOTHING;
