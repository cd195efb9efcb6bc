-- Agents: configuration, instructions, conversations, what they did, connections, and the platform's own state.

SET LOCAL ROLE service_role;

INSERT INTO public.agent_config
    (id, user_id, agent_type, voice_id, voice_name, personality_traits, response_style, enabled, settings,
        eleven_labs_agent_id, eleven_labs_phone_number_id, eleven_labs_voice_id)
SELECT
    md5('seed/agent/' || a.user_id || '/' || a.agent_type)::uuid, a.user_id, a.agent_type, a.voice_id, a.voice_name,
    a.traits, a.style, a.enabled, a.settings, a.agent_id, a.line_id, a.voice_id
FROM (VALUES
    ('user_demo', 'executive_assistant', 'demo-voice-alder', 'Alder, calm', ARRAY['concise', 'warm'], 'friendly', true,
        '{}'::jsonb, NULL, NULL),
    ('user_demo', 'content_agent', NULL, NULL, ARRAY['playful'], 'casual', true, '{}', NULL, NULL),
    ('user_demo', 'transaction_coordinator', NULL, NULL, ARRAY['thorough'], 'professional', true, '{}', NULL, NULL),
    ('user_demo', 'sales_agent', 'demo-voice-brook', 'Brook, bright', ARRAY['patient'], 'professional', true,
        '{"twilio_phone_number": "+15125550199", "twilio_sid": "PNdemo0001"}', 'demo-agent-1', 'demo-line-1'),
    ('user_rosa', 'executive_assistant', 'demo-voice-dune', 'Dune, warm', ARRAY['warm'], 'friendly', true, '{}', NULL,
        NULL),
    ('user_rosa', 'sales_agent', NULL, NULL, ARRAY['direct'], 'professional', false, '{}', NULL, NULL),
    ('user_kai', 'executive_assistant', NULL, NULL, ARRAY['brief'], 'professional', true, '{}', NULL, NULL)
) AS a (user_id, agent_type, voice_id, voice_name, traits, style, enabled, settings, agent_id, line_id)
ON CONFLICT DO NOTHING;

INSERT INTO public.user_guidelines (id, user_id, agent_type, guideline_category, guideline_text, guideline_type)
SELECT md5('seed/guideline/' || g.user_id || '/' || g.guideline_text)::uuid, g.*
FROM (VALUES
    ('user_demo', 'executive_assistant', 'scheduling', 'No appointments before nine or on Sundays.', 'do_not'),
    ('user_demo', 'executive_assistant', 'mail', 'Sign mails with "Jamie".', 'do'),
    ('user_demo', 'content_agent', 'tone', 'No exclamation marks, no superlatives.', 'do_not'),
    ('user_demo', 'transaction_coordinator', 'deadlines', 'Warn three days before every contract date.', 'do'),
    ('user_rosa', 'executive_assistant', 'language', 'Answer Spanish mails in Spanish.', 'do')
) AS g (user_id, agent_type, guideline_category, guideline_text, guideline_type)
ON CONFLICT DO NOTHING;

INSERT INTO public.user_knowledge (id, user_id, agent_type, knowledge_type, title, content, metadata)
SELECT md5('seed/knowledge/' || k.user_id || '/' || k.title)::uuid, k.*, '{"source": "seed"}'
FROM (VALUES
    ('user_demo', 'executive_assistant', 'note', 'Preferred lender',
        'Cedar Street Lending, ask for Ana; answers within the hour on working days.'),
    ('user_demo', 'content_agent', 'note', 'Neighbourhoods I write about',
        'Mueller, Cherrywood, Windsor Park. Mention the farmers'' market and the hike-and-bike trail.'),
    ('user_demo', 'transaction_coordinator', 'checklist', 'Before closing',
        'Final walk-through, utilities, keys and remotes, a handwritten note for the kitchen counter.'),
    ('user_rosa', 'executive_assistant', 'note', 'Team', 'Luis shows homes on weekends; copy him on every tour.')
) AS k (user_id, agent_type, knowledge_type, title, content)
ON CONFLICT DO NOTHING;

INSERT INTO public.ai_agent_conversations (id, user_id, agent_type, messages, context, created_at, updated_at)
VALUES
    (md5('seed/conversation/1')::uuid, 'user_demo', 'copilot',
        '[{"role": "user", "content": "What should I do first today?"},
          {"role": "assistant",
           "content": "Call the two owners on Cedar Bend before ten; your listing goal is the one behind."}]',
        '{"currentTab": "advisor"}', now() - interval '1 day', now() - interval '1 day'),
    (md5('seed/conversation/2')::uuid, 'user_demo', 'executive_assistant',
        '[{"role": "user", "content": "Find an hour for the Hendersons this week."},
          {"role": "assistant", "content": "Thursday at two or Friday at ten are free. Which one shall I send?"}]',
        '{}', now() - interval '3 hours', now() - interval '3 hours'),
    (md5('seed/conversation/3')::uuid, 'user_demo', 'transaction_coordinator',
        '[{"role": "user", "content": "Where does Juniper Court stand?"},
          {"role": "assistant", "content": "Under contract, inspection on Thursday, closing in twelve days."}]',
        '{}', now() - interval '2 days', now() - interval '2 days'),
    (md5('seed/conversation/4')::uuid, 'user_rosa', 'content_agent',
        '[{"role": "user", "content": "A post about summer showings."},
          {"role": "assistant", "content": "Show before ten. Leave the blinds half open."}]',
        '{}', now() - interval '10 hours', now() - interval '10 hours')
ON CONFLICT DO NOTHING;

INSERT INTO public.ai_actions_log
    (id, user_id, action_type, action_data, status, resource_url, error_message, executed_at, created_at)
SELECT
    md5('seed/ai-action/' || a.number)::uuid, a.user_id, a.action_type, a.data, a.status, a.url, a.error,
    now() - a.age, now() - a.age
FROM (VALUES
    (1, 'user_demo', 'sendGoogleEmail',
        '{"agent_type": "executive_assistant", "request": {"to": "priya@example.com", "subject": "Saturday"}}'::jsonb,
        'success', NULL, NULL, interval '2 hours'),
    (2, 'user_demo', 'scheduleGoogleCalendarEvent',
        '{"agent_type": "executive_assistant", "request": {"title": "Showing with the Hendersons"}}', 'success',
        'https://calendar.example.com/event/1', NULL, interval '1 day'),
    (3, 'user_demo', 'publishFacebookPost', '{"agent_type": "content_agent", "request": {"hasImage": true}}', 'success',
        'https://social.example.com/post/77', NULL, interval '3 days'),
    (4, 'user_demo', 'createLoftyTask',
        '{"agent_type": "transaction_coordinator", "request": {"title": "Order inspection"}}',
        'failed', NULL, 'provider_error: Lofty did not answer', interval '4 days'),
    (5, 'user_demo', 'purchase_phone_number', '{"phone_number": "+15125550199", "step": "done"}', 'success', NULL, NULL,
        interval '60 days'),
    (6, 'user_rosa', 'sendOutlookEmail', '{"agent_type": "executive_assistant", "request": {"to": "hana@example.com"}}',
        'success', NULL, NULL, interval '20 hours')
) AS a (number, user_id, action_type, data, status, url, error, age)
ON CONFLICT DO NOTHING;

INSERT INTO public.ai_tool_usage
    (id, user_id, agent_type, tool_name, tool_args, tool_result, execution_time_ms, success, error_message, created_at)
SELECT
    md5('seed/tool/' || t.number)::uuid, t.user_id, t.agent_type, t.tool_name, '{}', t.result, t.ms, t.success, t.error,
    now() - t.age
FROM (VALUES
    (1, 'user_demo', 'executive_assistant', 'findAvailableTimeSlots', '{"slots": 2}'::jsonb, 412, true, NULL,
        interval '3 hours'),
    (2, 'user_demo', 'executive_assistant', 'sendGoogleEmail', '{"sent": true}', 688, true, NULL, interval '2 hours'),
    (3, 'user_demo', 'content_agent', 'generateImage', NULL, 30000, false, 'Tool timed out', interval '2 days'),
    (4, 'user_demo', 'transaction_coordinator', 'getTransactions', '{"count": 6}', 24, true, NULL, interval '2 days'),
    (5, 'user_rosa', 'content_agent', 'getInstagramInsights', '{"views": 1840}', 950, true, NULL, interval '9 hours')
) AS t (number, user_id, agent_type, tool_name, result, ms, success, error, age)
ON CONFLICT DO NOTHING;

-- Connected without credentials: the screens show them, and a tool that needs the token asks to reconnect.
INSERT INTO public.external_service_connections
    (id, user_id, service_name, connection_status, settings, last_sync_at)
SELECT
    md5('seed/service/' || s.user_id || '/' || s.service)::uuid, s.user_id, s.service, s.status, s.settings,
    CASE WHEN s.status = 'connected' THEN now() - interval '1 day' END
FROM (VALUES
    ('user_demo', 'google_workspace', 'connected',
        '{"account_email": "demo@example.com", "account_name": "Jamie Calloway",
          "scopes": ["calendar", "gmail.send"]}'::jsonb),
    ('user_demo', 'facebook', 'connected',
        '{"account_name": "Jamie Calloway", "page_id": "1001", "page_name": "Jamie in Austin"}'),
    ('user_demo', 'linkedin', 'error', '{"last_error": "reconnect_required"}'),
    ('user_demo', 'zoom', 'disconnected', '{}'),
    ('user_rosa', 'microsoft_365', 'connected', '{"account_email": "rosa@example.com"}')
) AS s (user_id, service, status, settings)
ON CONFLICT DO NOTHING;

INSERT INTO public.crm_connections (id, user_id, provider, connection_status, sync_settings, last_sync_at)
VALUES
    (md5('seed/crm/demo')::uuid, 'user_demo', 'lofty', 'connected',
        '{"account_name": "Bluebonnet Realty", "syncCallLogs": true, "last_sync_count": 5, "last_sync_errors": []}',
        now() - interval '6 hours'),
    (md5('seed/crm/rosa')::uuid, 'user_rosa', 'follow_up_boss', 'connected', '{"account_name": "Saguaro Homes"}',
        now() - interval '1 day')
ON CONFLICT DO NOTHING;

INSERT INTO public.integration_status (id, service, status, response_time_ms, last_checked, error_message, metadata)
SELECT
    md5('seed/integration/' || i.service)::uuid, i.service, i.status, i.ms, now() - interval '20 minutes', i.error,
    i.meta
FROM (VALUES
    ('resend', 'healthy', 142, NULL, '{"domains": 1}'::jsonb),
    ('elevenlabs', 'healthy', 310, NULL, '{"voices": 5}'),
    ('twilio', 'degraded', 2412, NULL, '{"accountStatus": "active"}'),
    ('openai', 'error', NULL, 'HTTP 401', '{}'),
    ('gohighlevel', 'healthy', 36, NULL,
        '{"lastOrderId": "ghl-demo-1001", "lastEmail": "demo@example.com", "action": "activate"}'),
    ('shopify', 'healthy', 41, NULL, '{"lastOrderId": "820980000001", "lastTopic": "orders/paid"}')
) AS i (service, status, ms, error, meta)
ON CONFLICT DO NOTHING;

INSERT INTO public.system_errors
    (id, severity, function_name, message, stack_trace, user_id, metadata, occurrence_count, created_at,
        last_occurrence_at, resolved, resolved_at, resolved_by)
VALUES
    (md5('seed/error/1')::uuid, 'critical', 'purchaseTwilioNumber',
        'Configuration could not be written after a purchase', NULL, 'user_kai', '{"phoneNumber": "+12065550199"}', 1,
        now() - interval '5 hours', now() - interval '5 hours', false, NULL, NULL),
    (md5('seed/error/2')::uuid, 'warning', 'marketDataFetcher', 'Market provider answered 503', NULL, 'user_tom',
        '{"attempts": 3}', 14, now() - interval '2 days', now() - interval '1 hour', false, NULL, NULL),
    (md5('seed/error/3')::uuid, 'info', 'loftySync', 'contact without id', NULL, 'user_demo', '{"page": 3}', 2,
        now() - interval '6 hours', now() - interval '6 hours', false, NULL, NULL),
    (md5('seed/error/4')::uuid, 'warning', 'computePulse', 'slow', 'at score (computePulse.c:81)', 'user_demo', '{}', 5,
        now() - interval '9 days', now() - interval '8 days', true, now() - interval '7 days', 'user_admin')
ON CONFLICT DO NOTHING;
