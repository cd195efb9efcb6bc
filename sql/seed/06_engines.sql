-- Engines: forty days of scores with a trend, today's context, market figures.

SET LOCAL ROLE service_role;

INSERT INTO public.pulse_scores
    (id, user_id, date, overall_score, production_score, pipeline_score, activities_score, systems_score,
        mindset_score, metrics)
SELECT
    md5('seed/pulse-score/' || w.user_id || '/' || day)::uuid, w.user_id, current_date - day, s.score,
    s.score / 5, s.score / 6, s.score / 4, s.score / 6, s.score / 5, jsonb_build_object('source', 'seed')
FROM (VALUES ('user_demo', 74, 0.3), ('user_rosa', 88, 0.1), ('user_tom', 38, -0.2), ('user_kai', 80, 0.0))
    AS w (user_id, today, gain_a_day)
CROSS JOIN generate_series(0, 40) AS day
CROSS JOIN LATERAL (
    SELECT greatest(0, least(100, round(w.today - day * w.gain_a_day + (day * 5) % 7 - 3)))::integer AS score
) AS s
ON CONFLICT DO NOTHING;

-- Older than the 24 hours after which buildGraphContext computes anew, so that the first visit shows real figures.
INSERT INTO public.pulse_engine_snapshots (id, user_id, score, metrics, computed_at, created_at)
SELECT
    md5('seed/pulse/' || w.user_id || '/' || day)::uuid, w.user_id,
    greatest(0, least(100, w.today - day * w.gain_a_day + (day * 3) % 5 - 2)),
    jsonb_build_object(
        'totalActions', 60 + day % 5, 'completedActions', 40 + day % 4, 'completionRate', 66, 'last7DaysActions', 7,
        'volumeScore', 40, 'completionScore', 27, 'consistencyScore', 20, 'activeGoals', 9
    ),
    now() - make_interval(days => day), now() - make_interval(days => day)
FROM (VALUES ('user_demo', 74, 0.4), ('user_rosa', 92, 0.1), ('user_tom', 40, -0.3), ('user_kai', 78, 0.0))
    AS w (user_id, today, gain_a_day)
CROSS JOIN generate_series(2, 40) AS day
ON CONFLICT DO NOTHING;

INSERT INTO public.gane_engine_snapshots (id, user_id, score, metrics, computed_at, created_at)
SELECT
    md5('seed/gane/' || w.user_id || '/' || day)::uuid, w.user_id, greatest(0, least(100, w.today - day / 4)),
    jsonb_build_object(
        'systemsEnabled', 3, 'totalSystems', 4, 'systemsUtilization', 75, 'guidelinesCount', 4, 'utilizationScore', 30,
        'configScore', 30, 'trendScore', 15, 'hasProfile', true
    ),
    now() - make_interval(days => day), now() - make_interval(days => day)
FROM (VALUES ('user_demo', 75), ('user_rosa', 58), ('user_kai', 61)) AS w (user_id, today)
CROSS JOIN generate_series(2, 40, 2) AS day
ON CONFLICT DO NOTHING;

INSERT INTO public.moro_engine_snapshots (id, user_id, score, metrics, computed_at, created_at)
SELECT
    md5('seed/moro/' || m.user_id || '/' || day)::uuid, m.user_id, m.score,
    jsonb_build_object(
        'hasMarketConfig', true, 'marketTrend', c.market_trend, 'inventoryLevel', c.inventory_level,
        'medianDOM', c.median_dom, 'averagePrice', c.average_price
    ),
    now() - make_interval(days => day), now() - make_interval(days => day)
FROM (VALUES ('user_demo', 77), ('user_rosa', 95), ('user_tom', 58), ('user_kai', 100)) AS m (user_id, score)
JOIN public.market_config AS c ON c.user_id = m.user_id
CROSS JOIN generate_series(2, 40, 7) AS day
ON CONFLICT DO NOTHING;

-- Expired an hour ago: the next visit rebuilds it, and until then it is shown as stale.
INSERT INTO public.graph_context_cache (id, user_id, context, expires_at)
VALUES (
    md5('seed/context/user_demo')::uuid, 'user_demo',
    '{"scores": {"pulse": 74, "gane": 75, "moro": 77, "overall": 75}, "forecast": {"growthPotential": 75},
      "insights": {"message": "Follow-up is your strongest habit. Put the listing calls before it.",
                   "actions": [{"title": "Call two possible sellers before ten", "type": "database",
                                "priority": "high"}], "source": "fallback"},
      "bands": {"pulse": "Healthy", "gane": "Healthy", "moro": "Healthy", "overall": "Healthy"},
      "metrics": {"pulse": {}, "gane": {}, "moro": {}}, "userId": "user_demo", "warnings": []}',
    now() - interval '1 hour'
)
ON CONFLICT DO NOTHING;

INSERT INTO public.pulse_config
    (id, user_id, weight_prospecting, weight_listing, weight_transaction, weight_relationship)
VALUES
    (md5('seed/pulse-config/user_demo')::uuid, 'user_demo', 0.35, 0.25, 0.15, 0.25),
    (md5('seed/pulse-config/user_kai')::uuid, 'user_kai', 0.20, 0.40, 0.20, 0.20)
ON CONFLICT DO NOTHING;

INSERT INTO public.market_data
    (id, user_id, geography_type, geography_id, geography_name, raw_data, data_date)
SELECT
    md5('seed/market-data/' || m.user_id)::uuid, m.user_id, 'city', m.geography_id, m.name,
    jsonb_build_object('metrics', jsonb_build_object(
        'median_sale_price', m.price, 'inventory', m.inventory, 'days_on_market', m.dom, 'price_trend', m.trend
    )),
    now() - m.age
FROM (VALUES
    ('user_demo', 'TX-Austin-city', 'Austin Metro', 452000, 5120, 41, 'up', interval '3 days'),
    ('user_rosa', 'AZ-Mesa-city', 'Phoenix East Valley', 428500, 1875, 33, 'up', interval '2 days'),
    ('user_tom', 'NC-Charlotte-city', 'Charlotte', 389000, 3340, 62, 'down', interval '33 days'),
    ('user_kai', 'WA-Bellevue-city', 'Seattle Eastside', 1180000, 640, 24, 'up', interval '10 hours')
) AS m (user_id, geography_id, name, price, inventory, dom, trend, age)
ON CONFLICT DO NOTHING;

INSERT INTO public.market_intelligence (id, user_id, market_name, data_snapshot, insights, refreshed_at)
VALUES
    (md5('seed/market-intelligence/demo')::uuid, 'user_demo', 'Austin Metro',
        '{"median_sale_price": 452000, "new_listings": 812, "pending": 604}',
        '{"summary": "Well-priced homes sell in the second week; the rest wait for a reduction.",
          "opportunity": "Owners who bought before the rise and outgrew the house"}', now() - interval '3 days'),
    (md5('seed/market-intelligence/kai')::uuid, 'user_kai', 'Seattle Eastside',
        '{"median_sale_price": 1180000, "new_listings": 143, "pending": 128}',
        '{"summary": "Waterfront is short; buyers waive more than they should."}', now() - interval '1 day')
ON CONFLICT DO NOTHING;
