-- Credits: balances with the ledger they are the sum of. The ledger is written first and the balance taken from it, so
-- the two cannot disagree; whoever has a balance row already keeps row and ledger as they are.

SET LOCAL ROLE service_role;

WITH booked AS (
    INSERT INTO public.credit_transactions
        (id, user_id, transaction_type, amount, balance_after, description, metadata, created_at)
    SELECT
        md5('seed/credit/' || l.user_id || '/' || l.position)::uuid, l.user_id, l.type, l.amount,
        sum(l.amount) OVER (PARTITION BY l.user_id ORDER BY l.position),
        l.description, l.metadata, now() - l.age
    FROM (VALUES
        ('user_admin', 1, 'initial_grant', 100, 'Signup credits', '{}'::jsonb, interval '300 days'),
        ('user_demo', 1, 'initial_grant', 100, 'Signup credits', '{}', interval '200 days'),
        ('user_demo', 2, 'addition', 250, 'Monthly credits', '{"operation": "add", "requested_amount": 250}',
            interval '30 days'),
        ('user_demo', 3, 'deduction', -12, 'Image generation',
            '{"operation": "deduct", "requested_amount": 12, "feature": "Content Studio"}', interval '16 days'),
        ('user_demo', 4, 'earned', 5, 'Referral reward', '{"operation": "add", "requested_amount": 5}',
            interval '12 days'),
        ('user_demo', 5, 'deduction', -8, 'Social post',
            '{"operation": "deduct", "requested_amount": 8, "feature": "Content Studio"}', interval '6 days'),
        ('user_rosa', 1, 'initial_grant', 100, 'Signup credits', '{}', interval '150 days'),
        ('user_rosa', 2, 'credit', 400, 'Manual adjustment by admin',
            '{"operation": "adjust", "requested_amount": 400, "admin_id": "user_admin"}', interval '20 days'),
        ('user_tom', 1, 'initial_grant', 100, 'Signup credits', '{}', interval '90 days'),
        ('user_tom', 2, 'deduction', -97, 'Listing descriptions',
            '{"operation": "deduct", "requested_amount": 97, "feature": "Content Studio"}', interval '15 days'),
        ('user_lena', 1, 'initial_grant', 100, 'Signup credits', '{}', interval '45 days'),
        ('user_kai', 1, 'initial_grant', 100, 'Signup credits', '{}', interval '120 days'),
        ('user_bree', 1, 'initial_grant', 100, 'Signup credits', '{}', interval '260 days')
    ) AS l (user_id, position, type, amount, description, metadata, age)
    WHERE NOT EXISTS (SELECT FROM public.user_credits AS c WHERE c.user_id = l.user_id)
    ON CONFLICT DO NOTHING
    RETURNING user_id, transaction_type, amount
)
INSERT INTO public.user_credits (id, user_id, credits_available, credits_used)
SELECT
    md5('seed/credits/' || user_id)::uuid, user_id, sum(amount),
    coalesce(-sum(amount) FILTER (WHERE transaction_type = 'deduction'), 0)
FROM booked
GROUP BY user_id
ON CONFLICT DO NOTHING;
