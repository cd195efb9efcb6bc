-- Catalogue: prompts, flags, legal texts, task templates, objection scripts and personas.

SET LOCAL ROLE service_role;

INSERT INTO public.ai_prompt_configs (id, prompt_key, prompt_name, prompt_template, category, variables)
SELECT md5('seed/prompt/' || p.prompt_key)::uuid, p.*
FROM (VALUES
    ('daily_briefing', 'Daily briefing',
        'Greet {firstName} in one line. Name the two actions of today that matter most for the goal {goal}, and why.',
        'coaching', '["firstName", "goal"]'::jsonb),
    ('weekly_review', 'Weekly review',
        'Look at {completed} of {planned} actions done and a score of {score}. Say what worked, what slipped, and one '
        'change for next week.', 'coaching', '["completed", "planned", "score"]'),
    ('listing_description', 'Listing description',
        'Describe {address} for buyers who value {theme}. Facts first, no superlatives, at most 120 words.',
        'content', '["address", "theme"]'),
    ('social_caption', 'Social caption',
        'Write a caption for {platform} on {topic} in a {tone} voice. End with a question that invites an answer.',
        'content', '["platform", "topic", "tone"]'),
    ('market_summary', 'Market summary',
        'Explain to a homeowner in {market} what a median price of {price} and {dom} days on market mean for selling '
        'this season.', 'market', '["market", "price", "dom"]'),
    ('objection_coach', 'Objection coach',
        'The client says: "{objection}". Offer a calm answer, a question that goes deeper, and a next step.',
        'role_play', '["objection"]'),
    ('follow_up_email', 'Follow-up mail',
        'Write to {clientName} after {event}. Thank, recall one detail, propose one concrete next step.',
        'communication', '["clientName", "event"]')
) AS p (prompt_key, prompt_name, prompt_template, category, variables)
ON CONFLICT DO NOTHING;

INSERT INTO public.feature_flags (id, flag_key, flag_name, description, is_enabled, target_users, config)
SELECT md5('seed/flag/' || f.flag_key)::uuid, f.*
FROM (VALUES
    ('role_play_calls', 'Role-play calls', 'Training calls to the agent''s own phone', true, '[]'::jsonb,
        '{"maxMinutes": 15}'::jsonb),
    ('autopilot', 'Autopilot', 'Agents act without asking where permitted', true, '[]', '{}'),
    ('market_mail', 'Market mail', 'Weekly figures of the territory by mail', true, '[]', '{}'),
    ('image_studio', 'Image studio', 'Marketing images from a description', false, '["user_demo", "user_kai"]',
        '{"dailyLimit": 10}'),
    ('new_dashboard', 'New dashboard', 'The dashboard with forecast', false, '["user_demo"]', '{"rollout": 5}')
) AS f (flag_key, flag_name, description, is_enabled, target_users, config)
ON CONFLICT DO NOTHING;

INSERT INTO public.legal_documents (id, document_type, document_key, title, content, version, effective_date, is_active)
SELECT md5('seed/legal/' || l.document_key)::uuid, l.*
FROM (VALUES
    ('terms_of_service', 'terms_of_service', 'Terms of Service',
        E'# Terms of Service\n\nThese terms are an example for a demonstration and bind nobody.\n\n## The service\n\n'
        'The product helps real-estate professionals plan their work. Advice it gives is a suggestion; decisions and '
        'their consequences are yours.\n\n## Your account\n\nKeep your sign-in to yourself and your data correct.\n\n'
        '## Ending\n\nYou may leave at any time and take your data with you.',
        '2.0', current_date - 120, true),
    ('privacy_policy', 'privacy_policy', 'Privacy Policy',
        E'# Privacy Policy\n\nAn example for a demonstration.\n\n## What is kept\n\nWhat you enter, what connected '
        'services send at your request, and what the agents did on your behalf.\n\n## Who sees it\n\nYou. Other '
        'customers never do; row security in the database enforces it.\n\n## Deleting\n\nWith your account your '
        'rows go as well.',
        '1.3', current_date - 90, true),
    ('ai_disclosure', 'ai_disclosure', 'How AI is used here',
        E'# How AI is used here\n\nScores are arithmetic on your own activity. Texts, images and conversations come '
        'from language models and can be wrong: read before you send.\n\nCalls placed by an agent say at the start '
        'that an assistant is calling.',
        '1.0', current_date - 60, true),
    ('cookie_policy', 'cookie_policy', 'Cookies',
        E'# Cookies\n\nOne for your session, none for advertising.', '1.0', current_date - 60, true),
    ('terms_of_service', 'terms_of_service_2023', 'Terms of Service (former)',
        E'# Terms of Service\n\nReplaced by version 2.0.', '1.0', current_date - 600, false)
) AS l (document_type, document_key, title, content, version, effective_date, is_active)
ON CONFLICT DO NOTHING;

INSERT INTO public.task_templates
    (id, title, description, category, action_type, priority, trigger_type, trigger_value, trigger_max, impact_area,
        display_category, priority_weight)
SELECT
    md5('seed/task/' || t.title)::uuid, t.*,
    CASE t.priority WHEN 'high' THEN 5 WHEN 'medium' THEN 3 ELSE 1 END
FROM (VALUES
    ('Write down why this year matters', 'Half a page, by hand, before the numbers.', 'goals_planning', 'planning',
        'high', 'account_day_exact', 1, NULL::integer, '5', 'annually'),
    ('List everyone who would take your call', 'Names first, numbers later. Stop at a hundred.', 'database',
        'networking', 'high', 'account_day_exact', 2, NULL, '5', NULL),
    ('Set two fixed hours for prospecting', 'Same hours every working day; put them into the calendar.',
        'goals_planning', 'planning', 'high', 'account_day_exact', 3, NULL, '4', NULL),
    ('Connect your calendar', 'Agents can then find free slots for you.', 'systems', 'setup', 'medium',
        'account_day_exact', 4, NULL, '3', NULL),
    ('Ask one past client for a review', 'Send the link while you are still talking.', 'follow_up', 'networking',
        'medium', 'account_day_exact', 7, NULL, '3', NULL),
    ('Look back on the first month', 'What did you do on good days that was missing on others?', 'goals_planning',
        'review', 'medium', 'account_day_exact', 30, NULL, '4', 'monthly'),
    ('Do the smallest useful thing', 'One call. The second is easier.', 'power_hour', 'networking', 'high',
        'pulse_score_range', 0, 20, '5', NULL),
    ('Call three people you like', 'No pitch; ask how they are and listen.', 'power_hour', 'networking', 'high',
        'pulse_score_range', 0, 40, '5', NULL),
    ('Clear the overdue list', 'Do it, date it again, or delete it.', 'systems', 'review', 'medium',
        'pulse_score_range', 21, 60, '4', NULL),
    ('Raise the number of conversations by two', 'Hold it for five working days.', 'power_hour', 'networking',
        'medium', 'pulse_score_range', 41, 79, '4', NULL),
    ('Teach somebody what works', 'Explaining it shows you what to keep.', 'mindset', 'leadership', 'low',
        'pulse_score_range', 80, 100, '2', NULL),
    ('Plan the week in fifteen minutes', 'Three results, not thirty tasks.', 'goals_planning', 'planning', 'high',
        'day_of_week', 1, NULL, '5', NULL),
    ('Check the market figures', 'New, pending, sold and withdrawn in your territory.', 'market_knowledge',
        'research', 'medium', 'day_of_week', 2, NULL, '3', NULL),
    ('Record a one-minute video', 'One question a client asked this week.', 'marketing', 'content', 'medium',
        'day_of_week', 3, NULL, '3', NULL),
    ('Thank somebody in writing', 'Paper, stamp, two sentences.', 'follow_up', 'networking', 'low', 'day_of_week', 4,
        NULL, '2', NULL),
    ('Close the week', 'Log conversations, note promises, set Monday''s first call.', 'systems', 'review', 'medium',
        'day_of_week', 5, NULL, '4', NULL),
    ('Host a neighbourhood coffee', 'Eight people are plenty.', 'marketing', 'event', 'medium', 'initiative', NULL,
        NULL, '3', 'quarterly'),
    ('Interview a local lender', 'Ten minutes on what changed; share the notes.', 'market_knowledge', 'networking',
        'low', 'initiative', NULL, NULL, '2', 'quarterly'),
    ('Review every client''s equity', 'Send a short note where it changed a lot.', 'database', 'research', 'high',
        'initiative', NULL, NULL, '5', 'semi-annually'),
    ('Walk one street of your farm', 'Knock, introduce, leave something useful.', 'power_hour', 'networking',
        'medium', 'initiative', NULL, NULL, '3', 'monthly')
) AS t (title, description, category, action_type, priority, trigger_type, trigger_value, trigger_max, impact_area,
    display_category)
ON CONFLICT DO NOTHING;

INSERT INTO public.objection_scripts
    (id, title, category, difficulty, situation, response, tips, is_free, is_popular, sort_order)
SELECT md5('seed/objection/' || o.title)::uuid, o.*
FROM (VALUES
    ('Your commission is too high', 'listing', 'medium',
        'The seller compares you with an agent who charges less.',
        'That is a fair question. May I show you what is in the fee, line by line, and what the last three sellers kept '
        'after it? Then you can judge what is too much.',
        ARRAY['Slow down', 'Have the three net sheets with you'], true, true, 1),
    ('We want to wait until spring', 'listing', 'easy', 'The seller believes that spring brings better prices.',
        'Spring brings more buyers and more sellers. Shall we look at how many homes like yours were for sale last '
        'April, and how many are today?', ARRAY['Bring both counts', 'Let the numbers speak'], true, true, 2),
    ('We will try it ourselves first', 'listing', 'hard', 'A for-sale-by-owner who does not want an agent.',
        'Many do, and some succeed. If I leave you my checklist for showings and contracts, may I ask in three weeks '
        'how it went?', ARRAY['Give before you ask', 'Set the date at once'], true, false, 3),
    ('We already have an agent', 'buyer', 'medium', 'A caller on your sign is represented.',
        'Good, then you are looked after. I will send the facts sheet to your agent right away; who is it?',
        ARRAY['Respect the agreement', 'Stay helpful'], true, false, 4),
    ('Rates are too high', 'buyer', 'medium', 'A buyer postpones because of interest rates.',
        'What monthly figure would feel safe to you? Let us see which homes meet it today, and what a lower rate later '
        'would change.', ARRAY['Talk about the payment, not the rate'], true, true, 5),
    ('I am only looking', 'buyer', 'easy', 'An open-house visitor keeps distance.',
        'Then you came to the right place to look. What would the house need to have for you to look twice?',
        ARRAY['Smile', 'One question only'], true, false, 6),
    ('Your price is lower than the other agent''s', 'listing', 'hard', 'Another agent promised more.',
        'I hope that he is right. Here are the five homes buyers will compare with yours. Which of them would you call '
        'worse than your own?', ARRAY['Never attack the other agent'], false, true, 7),
    ('We need to sleep on it', 'closing', 'medium', 'The clients hesitate at the signature.',
        'Please do. What is the one thing you will talk about tonight? Perhaps I can add a fact to it.',
        ARRAY['Find the real doubt'], false, false, 8),
    ('The inspection found too much', 'closing', 'hard', 'A buyer wants to walk away after the report.',
        'Let us sort the list into safety, soon and someday. Then we decide what to ask for, and only then whether to '
        'go.', ARRAY['Bring three colours of marker'], false, false, 9),
    ('I had a bad experience', 'trust', 'medium', 'The client distrusts agents.',
        'Thank you for telling me. What happened, and what would have made it right? I would like to put that into '
        'writing between us.', ARRAY['Listen to the end', 'Repeat it in your words'], true, false, 10)
) AS o (title, category, difficulty, situation, response, tips, is_free, is_popular, sort_order)
ON CONFLICT DO NOTHING;

INSERT INTO public.client_personas
    (id, persona_key, persona_name, description, personality_traits, communication_style, objection_patterns,
        decision_making_style)
SELECT md5('seed/persona/' || p.persona_key)::uuid, p.*
FROM (VALUES
    ('analytical_seller', 'Walter, the calculating seller', 'Engineer, has a spreadsheet for everything.',
        ARRAY['precise', 'sceptical', 'patient'], 'short sentences, asks for sources',
        ARRAY['Show me the data', 'Your commission is too high'], 'compares three options, decides alone'),
    ('nervous_first_buyer', 'Amara, buying for the first time', 'Excited and afraid of doing something wrong.',
        ARRAY['warm', 'anxious', 'curious'], 'many questions, thinks aloud',
        ARRAY['Rates are too high', 'What if we find something better'], 'needs a second opinion'),
    ('busy_executive', 'Grant, always between meetings', 'Relocates for work and wants it done.',
        ARRAY['direct', 'impatient'], 'interrupts, wants the conclusion first',
        ARRAY['Just send me the link'], 'decides in minutes, changes his mind'),
    ('grieving_heir', 'Iris, selling her parents'' home', 'Every room is a memory; the siblings disagree.',
        ARRAY['gentle', 'overwhelmed'], 'long pauses, stories', ARRAY['We need to sleep on it'], 'seeks consensus'),
    ('owner_seller', 'Frank, selling by himself', 'Sold a car online once and it went fine.',
        ARRAY['confident', 'humorous', 'stubborn'], 'banter', ARRAY['We will try it ourselves first'],
        'decides when he feels respected'),
    ('investor', 'Hana, buying for return', 'Owns four flats and knows her figures.',
        ARRAY['calm', 'quick'], 'numbers only', ARRAY['The cap rate is too low'], 'formula first, gut second'),
    ('downsizing_couple', 'Dolores and Ray, too much house', 'Want to stay near the grandchildren.',
        ARRAY['kind', 'undecided'], 'finish each other''s sentences', ARRAY['We want to wait until spring'],
        'needs time and a plan for the piano'),
    ('expired_listing', 'Nadia, whose listing expired', 'Tired of promises after two hundred days.',
        ARRAY['disappointed', 'sharp'], 'tests you', ARRAY['What would you do differently'],
        'needs one proof that this time differs')
) AS p (persona_key, persona_name, description, personality_traits, communication_style, objection_patterns,
    decision_making_style)
ON CONFLICT DO NOTHING;
