-- Content: topics with their packs, what the start page features, mail and campaign templates, voices.

SET LOCAL ROLE service_role;

INSERT INTO public.content_topics
    (id, topic_name, topic_key, description, category, prompts, week_number, social_feed_caption, social_hashtags,
        outreach_email_subject, outreach_email, outreach_call_script, outreach_dm_template, is_public)
SELECT md5('seed/topic/' || t.topic_key)::uuid, t.*, true
FROM (VALUES
    ('Pricing with evidence', 'pricing-evidence', 'Why the first price is the important one', 'sellers',
        '{"post": "Explain in three sentences why overpricing costs time."}'::jsonb, 1,
        'The market answers a price within ten days. Are you listening?', '#pricing #homeselling',
        'What your home competes with', 'Here are the three homes a buyer will see on the same afternoon as yours.',
        'I looked at the homes yours would compete with. Do you have two minutes for what I found?',
        'Saw a home like yours sell this week. Want the number?'),
    ('First home, first steps', 'first-home', 'A calm order of things for first-time buyers', 'buyers',
        '{"post": "List five steps from dreaming to keys."}', 2,
        'Step one is not the lender. Step one is a list of what you can live without.', '#firsthome #buyers',
        'Your first home in five steps', 'Five steps, in order, with what each costs and how long it takes.',
        'Shall I walk you through the five steps? It takes ten minutes and commits you to nothing.',
        'Thinking about a first home? I have a one-page plan.'),
    ('Equity check-in', 'equity-check', 'Owners rarely know what changed', 'past clients',
        '{"post": "Invite owners to an equity review."}', 3,
        'Your house had a year. Do you know what it did?', '#homeowners #equity', 'Your yearly home review',
        'Once a year I look at what changed for my clients. Yours is ready.',
        'Your yearly review is ready. When shall I bring it?', 'Your home''s yearly numbers are in. Shall I send them?'),
    ('Moving within town', 'moving-local', 'Sell and buy at the same time', 'sellers',
        '{"post": "Answer the fear of owning two homes."}', 4,
        'Two homes for a month, or no home for a week? There is a third way.', '#moving #local',
        'Selling and buying at once', 'The order matters more than the market. Here is how others did it.',
        'What worries you more: selling too early or buying too late?',
        'Planning a move within town? Ask me about the order.'),
    ('Neighbourhood spotlight', 'neighbourhood', 'Show what only locals know', 'community',
        '{"post": "Portrait one street with one shop and one person."}', 5,
        'The best bakery in town has no sign. You have to know the door.', '#local #community',
        'A street you should know', 'This month: a street of porches, and the people on them.',
        'I am writing about your street. What should nobody miss?', 'What is your favourite corner of the neighbourhood?'),
    ('Rates in plain words', 'rates-plain', 'Turn percentages into monthly figures', 'buyers',
        '{"post": "Explain one percent as dinners out."}', 6,
        'One percent is not a number. It is a monthly payment. Which one?', '#mortgage #rates',
        'What a change in rates means for you', 'The same home at three rates: here is the payment each time.',
        'May I show you the same home at three rates?', 'Curious what today''s rate means a month?')
) AS t (topic_name, topic_key, description, category, prompts, week_number, social_feed_caption, social_hashtags,
    outreach_email_subject, outreach_email, outreach_call_script, outreach_dm_template)
ON CONFLICT DO NOTHING;

-- A draft: visible to its owner only.
INSERT INTO public.content_topics (id, topic_name, topic_key, description, category, user_id, is_public)
VALUES (md5('seed/topic/draft')::uuid, 'Ranch homes near the loop', 'draft-demo-ranch', 'An idea for autumn',
    'sellers', 'user_demo', false)
ON CONFLICT DO NOTHING;

INSERT INTO public.content_packs
    (id, pack_name, pack_key, description, category, is_premium, content_items, topic_id)
SELECT
    md5('seed/pack/' || p.pack_key)::uuid, p.pack_name, p.pack_key, p.description, p.category, p.is_premium, p.items,
    (SELECT id FROM public.content_topics WHERE topic_key = p.topic_key)
FROM (VALUES
    ('Pricing week', 'pricing-week', 'Three posts and a mail on pricing', 'sellers', false,
        '[{"type": "post", "title": "Ten days"}, {"type": "post", "title": "Five comparables"},
          {"type": "email", "title": "What your home competes with"}]'::jsonb, 'pricing-evidence'),
    ('First-home starter', 'first-home-starter', 'Checklist, post and call script', 'buyers', false,
        '[{"type": "checklist", "title": "Five steps"}, {"type": "script", "title": "The first call"}]', 'first-home'),
    ('Equity season', 'equity-season', 'A yearly touch for every past client', 'past clients', true,
        '[{"type": "email", "title": "Your yearly review"}, {"type": "card", "title": "House birthday"}]',
        'equity-check'),
    ('Local voices', 'local-voices', 'Interview questions and captions', 'community', true,
        '[{"type": "questions", "title": "Seven for a shopkeeper"}]', 'neighbourhood')
) AS p (pack_name, pack_key, description, category, is_premium, items, topic_key)
ON CONFLICT DO NOTHING;

INSERT INTO public.featured_content_packs (id, title, description, icon, category, content_items, sort_order)
SELECT
    md5('seed/featured/' || f.title)::uuid, f.title, f.description, f.icon, 'marketing',
    jsonb_build_array(jsonb_build_object(
        'type', 'link', 'url', f.url, 'thumbnail', f.icon, 'socialNetworks', f.networks, 'isPremium', f.premium
    )),
    f.sort_order
FROM (VALUES
    ('Open house kit', 'Sign-in sheet, follow-up mails and a poster', 'https://files.example.com/open-house.png',
        'https://files.example.com/open-house.zip', '["facebook", "instagram"]'::jsonb, false, 1),
    ('Seller guide', 'Twelve pages to leave behind', 'https://files.example.com/seller-guide.png',
        'https://files.example.com/seller-guide.pdf', '["linkedin"]', false, 2),
    ('Video month', 'Thirty prompts for one-minute videos', 'https://files.example.com/video-month.png',
        'https://files.example.com/video-month.pdf', '["instagram", "facebook"]', true, 3)
) AS f (title, description, icon, url, networks, premium, sort_order)
ON CONFLICT DO NOTHING;

INSERT INTO public.email_templates
    (id, template_key, template_name, subject, body_html, body_text, category, variables)
SELECT md5('seed/mail/' || m.template_key)::uuid, m.*
FROM (VALUES
    ('daily_email', 'Morning plan', '{firstName}, {actionCount} for today (PULSE {pulseScore}, {pulseTrend})',
        '<h1>Good morning, {firstName}</h1><p>Your PULSE is {pulseScore} ({pulseTrend}).</p><h2>Today</h2>'
        '<p>{actionList}</p><p>Overdue: {overdueCount}</p><h2>Goals</h2><p>{goalsSummary}</p>'
        '<p><a href="{preferencesUrl}">Change or stop this mail</a></p>',
        E'Good morning, {firstName}\n\nPULSE {pulseScore} ({pulseTrend})\n\nToday\n{actionList}\n\nOverdue: '
        '{overdueCount}\n\nGoals\n{goalsSummary}\n\nChange or stop this mail: {preferencesUrl}',
        'scheduled', '["firstName", "pulseScore", "pulseTrend", "actionCount", "overdueCount", "actionList",
            "goalsSummary", "preferencesUrl"]'::jsonb),
    ('weekly_email', 'Weekly report', 'Your week {weekRange}: {completedActions}',
        '<h1>{firstName}, your week</h1><p>{weekRange}</p><p>PULSE {pulseScore}, {weeklyPulseTrend}</p>'
        '<p>{completedActions}, {completionRate} of what was planned.</p><h2>Goals</h2><p>{goalProgress}</p>'
        '<p><a href="{preferencesUrl}">Change or stop this mail</a></p>',
        NULL, 'scheduled', '["firstName", "weekRange", "pulseScore", "weeklyPulseTrend", "completedActions",
            "completionRate", "goalProgress", "preferencesUrl"]'),
    ('market_update_email', 'Market update', '{marketName}: {medianPrice}, {priceTrend}',
        '<h1>{marketName}</h1><p>Median price {medianPrice} ({priceTrend}), {inventory} homes for sale, {daysOnMarket} '
        'days on market.</p><p>{staleNotice}</p><p><a href="{preferencesUrl}">Change or stop this mail</a></p>',
        NULL, 'scheduled', '["marketName", "medianPrice", "inventory", "daysOnMarket", "priceTrend", "asOf",
            "staleNotice", "preferencesUrl"]'),
    ('client_check_in', 'Client check-in', 'How is the house holding up, {firstName}?',
        '<p>Hello {firstName},</p><p>a year ago you got the keys. What has the house taught you since?</p>',
        E'Hello {firstName},\n\na year ago you got the keys. What has the house taught you since?', 'client',
        '["firstName"]'),
    ('open_house_invitation', 'Open house invitation', 'You are invited: {address}',
        '<p>Hello {firstName},</p><p>come and see {address} on {date}, before everybody else does.</p>', NULL,
        'client', '["firstName", "address", "date"]')
) AS m (template_key, template_name, subject, body_html, body_text, category, variables)
ON CONFLICT DO NOTHING;

INSERT INTO public.campaign_templates (id, file_name, file_uri, is_active, updated_at)
VALUES
    (md5('seed/campaign-template/spring')::uuid, 'spring_calling_list.csv',
        'https://files.example.com/spring_calling_list.csv', true, now() - interval '10 days'),
    (md5('seed/campaign-template/old')::uuid, 'calling_list_2023.csv', 'campaign-templates/calling_list_2023.csv',
        false, now() - interval '400 days')
ON CONFLICT DO NOTHING;

INSERT INTO public.agent_voices (id, user_id, agent_type, voice_id, voice_name, voice_settings, is_default)
SELECT
    md5('seed/voice/' || v.voice_id)::uuid, 'system', 'executive_assistant', v.voice_id, v.voice_name,
    jsonb_build_object(
        'previewAudioUrl', 'https://files.example.com/voices/' || v.voice_id || '.mp3', 'isActive', true
    ),
    v.is_default
FROM (VALUES
    ('demo-voice-alder', 'Alder, calm', true),
    ('demo-voice-brook', 'Brook, bright', false),
    ('demo-voice-cedar', 'Cedar, deep', false),
    ('demo-voice-dune', 'Dune, warm', false),
    ('demo-voice-ember', 'Ember, lively', false)
) AS v (voice_id, voice_name, is_default)
ON CONFLICT DO NOTHING;
