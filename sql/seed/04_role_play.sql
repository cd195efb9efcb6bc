-- Role play: scenarios, training calls with their reports, and outbound calls.

SET LOCAL ROLE service_role;

INSERT INTO public.role_play_scenarios
    (id, name, description, category, difficulty_level, initial_context, client_persona, eleven_labs_agent_id,
        eleven_labs_phone_number_id, first_message_override, passing_threshold, learning_objectives,
        average_duration_minutes, success_criteria, is_popular, is_premium)
SELECT md5('seed/scenario/' || s.name)::uuid, s.*
FROM (VALUES
    ('The first call to an inquiry', 'A web inquiry picks up and is in a hurry.', 'buyer', 'beginner',
        'The client asked for details of a three-bedroom house an hour ago and is now in a car park.',
        'Grant, relocating for work, short of time, friendly once he feels heard.', 'demo-agent-1', 'demo-line-1',
        'Hello, who is this?', 65, ARRAY['Open within ten seconds', 'Agree on a next step'], 6,
        ARRAY['Gives name and reason', 'Asks about timing', 'Books an appointment'], true, false),
    ('Commission at the kitchen table', 'A seller pushes on the fee.', 'listing', 'intermediate',
        'Second meeting. The seller has an offer from a discount broker on the table.',
        'Walter, an engineer who wants every cost explained.', 'demo-agent-1', 'demo-line-1', NULL, 75,
        ARRAY['Stay calm', 'Explain value in figures'], 10,
        ARRAY['Acknowledges the question', 'Uses a net sheet', 'Does not attack the other broker'], true, false),
    ('The expired listing', 'Two hundred days, no sale, no trust.', 'listing', 'advanced',
        'The listing expired yesterday. Nine agents have called already.',
        'Nadia, tired, quick to hang up, fair if surprised.', 'demo-agent-1', 'demo-line-1',
        'You are the tenth today. What do you want?', 80, ARRAY['Earn thirty seconds', 'Ask before telling'], 8,
        ARRAY['Does not pitch first', 'Names one concrete difference', 'Asks for a meeting'], false, true),
    ('Open house small talk', 'A visitor who is only looking.', 'buyer', 'beginner',
        'Sunday afternoon, the visitor touches everything and says little.',
        'Amara, curious, afraid of being sold to.', NULL, NULL, NULL, 60, ARRAY['One good question'], 5,
        ARRAY['Asks an open question', 'Gets a way to follow up'], false, false),
    ('Inspection panic', 'The report is forty pages long.', 'closing', 'advanced',
        'The buyers got the inspection report at midnight and want to cancel.',
        'June and Park, in their first home purchase, taking turns to worry.', 'demo-agent-2', 'demo-line-1', NULL, 75,
        ARRAY['Sort facts from fear'], 12,
        ARRAY['Sorts the findings', 'Explains the options', 'Agrees on a list'], false, true)
) AS s (name, description, category, difficulty_level, initial_context, client_persona, eleven_labs_agent_id,
    eleven_labs_phone_number_id, first_message_override, passing_threshold, learning_objectives,
    average_duration_minutes, success_criteria, is_popular, is_premium)
ON CONFLICT DO NOTHING;

INSERT INTO public.role_play_session_logs
    (id, user_id, scenario_id, session_duration_seconds, transcript, status, created_at, conversation_id, call_sid,
        metadata, recording_url, ended_at)
SELECT
    md5('seed/session/' || s.number)::uuid, s.user_id, md5('seed/scenario/' || s.scenario)::uuid, s.seconds,
    s.transcript, s.status, now() - s.age, 'seed-conv-rp-' || s.number, 'seed-sid-rp-' || s.number,
    jsonb_build_object('scenario_name', s.scenario, 'prepaid_credits', 0),
    CASE WHEN s.status = 'completed'
        THEN s.user_id || '/role-play/' || md5('seed/session/' || s.number)::uuid || '.mp3'
    END,
    now() - s.age + make_interval(secs => s.seconds)
FROM (VALUES
    (1, 'user_demo', 'The first call to an inquiry', 312, interval '12 days', 'completed',
        '[{"role": "agent", "message": "Hi Grant, this is Jamie about the house on Oak Lane. Did I catch you driving?"},
          {"role": "user", "message": "Parked. Make it quick."},
          {"role": "agent", "message": "One question: when do you need to be here?"},
          {"role": "user", "message": "First of the month after next."},
          {"role": "agent", "message": "Then Saturday at ten is the right day to see three. Does that work?"},
          {"role": "user", "message": "Send me the addresses."}]'::jsonb),
    (2, 'user_demo', 'Commission at the kitchen table', 545, interval '8 days', 'completed',
        '[{"role": "user", "message": "The other firm charges half."},
          {"role": "agent", "message": "That is worth a look. May I put both on one sheet, down to what you keep?"},
          {"role": "user", "message": "Go on."},
          {"role": "agent", "message": "These are the last three of each. The fee is lower, and so is the last line."}]'),
    (3, 'user_demo', 'The expired listing', 74, interval '2 days', 'completed',
        '[{"role": "user", "message": "You are the tenth today."},
          {"role": "agent", "message": "Then I will be short: we have a marketing plan with twelve points."},
          {"role": "user", "message": "So had the last one. Goodbye."}]'),
    (4, 'user_rosa', 'Commission at the kitchen table', 610, interval '5 days', 'completed',
        '[{"role": "user", "message": "Why should I pay that?"},
          {"role": "agent", "message": "You should not, unless it earns you more than it costs. Shall we check?"}]'),
    (5, 'user_tom', 'The first call to an inquiry', 0, interval '1 day', 'failed', '[]')
) AS s (number, user_id, scenario, seconds, age, status, transcript)
ON CONFLICT DO NOTHING;

INSERT INTO public.role_play_analysis_reports
    (id, user_id, session_id, overall_score, overall_result, strengths, areas_for_improvement, detailed_feedback,
        metrics, created_at)
SELECT
    md5('analysis:' || md5('seed/session/' || r.number)::uuid)::uuid, r.user_id,
    md5('seed/session/' || r.number)::uuid, r.score, CASE WHEN r.score >= r.threshold THEN 'PASS' ELSE 'FAIL' END,
    r.strengths, r.improvements, r.feedback,
    jsonb_build_object(
        'criteria', jsonb_build_object(
            'active_listening', jsonb_build_object('score', r.score, 'feedback', r.feedback)
        ),
        'criteria_feedback', jsonb_build_object('active_listening', r.feedback),
        'stats', jsonb_build_object('objections_given', 1, 'objections_overcome', (r.score >= r.threshold)::integer),
        'summary', r.feedback,
        'passing_score', r.threshold
    ),
    now() - r.age
FROM (VALUES
    (1, 'user_demo', 82, 65, '["Clear opening", "Concrete appointment"]'::jsonb, '["Ask one more about needs"]'::jsonb,
        'Short, friendly and with a date at the end.', interval '12 days'),
    (2, 'user_demo', 78, 75, '["Calm on price", "Used a net sheet"]', '["Let the seller finish"]',
        'The comparison did the work; leave room for it.', interval '8 days'),
    (3, 'user_demo', 41, 80, '["Came to the point"]', '["Ask before pitching", "Name one difference"]',
        'The pitch came before any question, and the call ended there.', interval '2 days'),
    (4, 'user_rosa', 91, 75, '["Turned the question round", "Patient"]', '["Close earlier"]',
        'Confident and generous; the close could come two minutes sooner.', interval '5 days')
) AS r (number, user_id, score, threshold, strengths, improvements, feedback, age)
ON CONFLICT DO NOTHING;

INSERT INTO public.role_play_user_progress (id, user_id, scenario_id, attempts, best_score, last_attempt_at)
SELECT
    md5('seed/progress/' || p.user_id || '/' || p.scenario)::uuid, p.user_id, md5('seed/scenario/' || p.scenario)::uuid,
    1, p.best, now() - p.age
FROM (VALUES
    ('user_demo', 'The first call to an inquiry', 82, interval '12 days'),
    ('user_demo', 'Commission at the kitchen table', 78, interval '8 days'),
    ('user_demo', 'The expired listing', 41, interval '2 days'),
    ('user_rosa', 'Commission at the kitchen table', 91, interval '5 days')
) AS p (user_id, scenario, best, age)
ON CONFLICT DO NOTHING;

INSERT INTO public.call_logs
    (id, user_id, call_type, contact_name, phone_number, duration_seconds, status, notes, recording_url, metadata,
        created_at, conversation_id, call_sid, ended_at, transcript, analysis, form_data)
SELECT
    md5('seed/call/' || c.number)::uuid, c.user_id, c.call_type, c.contact, c.phone, c.seconds, c.status, c.notes,
    CASE WHEN c.seconds > 60 THEN c.user_id || '/calls/' || md5('seed/call/' || c.number)::uuid || '.mp3' END,
    jsonb_build_object('campaign_id', md5('seed/calling/' || c.user_id)::uuid, 'campaign_name', 'Spring callers'),
    now() - c.age, 'seed-conv-call-' || c.number, 'seed-sid-call-' || c.number,
    now() - c.age + make_interval(secs => c.seconds),
    CASE
        WHEN c.seconds > 60
        THEN '[{"role": "agent", "message": "Hello, this is the assistant of Jamie Calloway."},
               {"role": "user", "message": "Yes, I had asked about the house."}]'::jsonb
        ELSE '[]'
    END,
    CASE
        WHEN c.status = 'appointment_set'
        THEN jsonb_build_object(
            'appointmentDate', to_char(current_date + 2, 'YYYY-MM-DD'), 'appointmentTime', '10:00',
            'appointmentLocation', 'Virtual', 'transcript_summary', c.notes
        )
        ELSE '{}'
    END,
    jsonb_build_object('name', c.contact, 'phone', c.phone, 'lead_source', 'website')
FROM (VALUES
    (1, 'user_demo', 'New Buyer Lead', 'Grant Ellery', '+15125550164', 214, 'appointment_set',
        'Wants to see three homes on Saturday', interval '2 days'),
    (2, 'user_demo', 'New Seller Lead', 'June Park', '+15125550165', 131, 'completed',
        'Will decide after the summer', interval '3 days'),
    (3, 'user_demo', 'Expired Listing', 'Nadia Voss', '+15125550166', 0, 'failed', NULL, interval '3 days'),
    (4, 'user_demo', 'New Buyer Lead', 'Omar Reyes', '+15125550167', 95, 'completed', 'Already under contract',
        interval '9 days'),
    (5, 'user_rosa', 'For Sale By Owner', 'Frank Adler', '+16025550172', 322, 'appointment_set',
        'Open to a second opinion on price', interval '1 day'),
    (6, 'user_kai', 'New Seller Lead', 'Mina Holt', '+12065550181', 48, 'completed', 'Call again in May',
        interval '20 hours')
) AS c (number, user_id, call_type, contact, phone, seconds, status, notes, age)
ON CONFLICT DO NOTHING;
