/*
 * buildGraphContext (spec engines.md): its examples, what is recomputed, what is kept, the model's remark and every way
 * in which the model can fail. One rebuild at a time is buildGraphContext.flight.test.mjs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CONTEXT, band, numbers } from '../../support/engines.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { credential } from '../../support/providers.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { post } from '../../support/clients.mjs';
import { mint } from '../../support/tokens.mjs';

const FALLBACK = 'Stay consistent with your daily actions and make full use of the systems you already have.';
const MINUTE_MS = 60000;

const functions = ['buildGraphContext', 'computePulse', 'computeGane', 'computeMoro'];
const graph = suite({ functions });
const rows = (...query) => graph.database.rows(...query);
const call = (id, body = {}) => graph.call('buildGraphContext', id, body);

const snapshot = (engine, id, score, age = '1 hour', metrics = { of: engine }) =>
    rows(
        `INSERT INTO ${engine}_engine_snapshots (user_id, score, metrics, computed_at) VALUES ($1, $2, $3, now() - $4::interval)`,
        [id, score, metrics, age],
    );

/* A person whose three scores are an hour old. */
async function scored(pulse, gane, moro) {
    const id = await graph.agent();
    for (const [engine, score] of Object.entries({ pulse, gane, moro })) await snapshot(engine, id, score);
    return id;
}

const cached = (id) => graph.database.row('SELECT * FROM graph_context_cache WHERE user_id = $1', [id]);
const cache = (id, expires, context = CONTEXT) =>
    rows(`INSERT INTO graph_context_cache (user_id, context, expires_at) VALUES ($1, $2, now() + $3::interval)`, [id, context, expires]);
async function counts(id) {
    const found = [];
    for (const name of ['pulse', 'gane', 'moro'])
        found.push(await graph.database.count(`${name}_engine_snapshots`, 'user_id = $1', [id]));
    return found;
}

describe('buildGraphContext: examples', options, () => {
    it('1: 40, 62, 43 grow to 47, not 48', options, async () => {
        const id = await scored(40, 62, 43);
        const { status, body } = await call(id);
        assert.equal(status, 200);
        assert.equal(body.scores.overall, 48);
        assert.equal(body.forecast.growthPotential, 47);
        assert.deepEqual(body.scores, { pulse: 40, gane: 62, moro: 43, overall: 48 });
        assert.deepEqual(body.bands, { pulse: 'At Risk', gane: 'Healthy', moro: 'At Risk', overall: 'At Risk' });
        assert.deepEqual(body.metrics, { pulse: { of: 'pulse' }, gane: { of: 'gane' }, moro: { of: 'moro' } });
        assert.deepEqual(Object.keys(body).sort(), [
            'bands', 'cache', 'forecast', 'insights', 'metrics', 'scores', 'timestamp', 'userId', 'warnings',
        ]);
        assert.equal(body.userId, id);
        assert.deepEqual(body.warnings, []);
        assert.deepEqual(await counts(id), [1, 1, 1], 'nothing is recomputed');
    });

    it('2: scores with decimals', options, async () => {
        const first = (await call(await scored(70, 55, 41))).body;
        assert.deepEqual([first.scores.overall, first.forecast.growthPotential], [55, 57]);
        const second = (await call(await scored(72.55, 61, 58))).body;
        assert.deepEqual([second.scores.overall, second.forecast.growthPotential], [64, 65]);
        assert.equal(second.scores.pulse, 72.55);
    });

    it('3: a new user: three snapshots and a cached context', options, async () => {
        const id = await graph.agent();
        const { body } = await call(id);
        assert.deepEqual(body.scores, { pulse: 0, gane: 10, moro: 50, overall: 20 });
        assert.equal(body.forecast.growthPotential, 18);
        assert.equal(body.metrics.pulse.totalActions, 0);
        assert.equal(body.metrics.gane.configScore, 10);
        assert.deepEqual(body.metrics.moro, { hasMarketConfig: false });
        assert.deepEqual(await counts(id), [1, 1, 1]);
        const { cache: about, ...context } = body;
        const row = await cached(id);
        assert.deepEqual(row.context, context);
        assert.equal(row.expires_at.toISOString(), about.expiresAt);
    });

    it('4: only what is older than a day is recomputed, score and metrics together', options, async () => {
        const id = await graph.agent();
        await snapshot('pulse', id, 80, '23 hours');
        await snapshot('moro', id, 50, '1 hour');
        await snapshot('gane', id, 90, '25 hours');
        const { body } = await call(id);
        assert.deepEqual(body.scores, { pulse: 80, gane: 10, moro: 50, overall: 47 });
        assert.equal(body.forecast.growthPotential, 50);
        assert.equal(body.metrics.gane.configScore, 10);
        assert.deepEqual(body.metrics.pulse, { of: 'pulse' });
        assert.deepEqual(await counts(id), [1, 2, 1]);
    });

    it('5: a cached context is answered as it is until it expires', options, async () => {
        const id = await graph.agent();
        await cache(id, '1 minute');
        const { body } = await call(id);
        const { cache: about, ...context } = body;
        assert.deepEqual(context, CONTEXT);
        assert.equal(about.hit, true);
        assert.equal(about.stale, false);
        assert.deepEqual(await counts(id), [0, 0, 0]);
        assert.equal((await graph.gateway.requests()).length, 0);

        const late = await graph.agent();
        await cache(late, '-1 minute');
        const rebuilt = (await call(late)).body;
        assert.equal(rebuilt.cache.hit, false);
        assert.equal(rebuilt.scores.overall, 20);
        assert.ok((await cached(late)).expires_at > new Date());
    });
});

describe('buildGraphContext: scores', options, () => {
    it('random scores as in JavaScript', options, async () => {
        const random = numbers(20260313);
        for (let i = 0; i < 40; i++) {
            const [p, g, m] = Array.from({ length: 3 }, () => (i % 2 ? random(101) : random(10001) / 100));
            const { body } = await call(await scored(p, g, m));
            const overall = Math.round((p + g + m) / 3);
            assert.deepEqual(body.scores, { pulse: p, gane: g, moro: m, overall });
            assert.equal(body.forecast.growthPotential, Math.round(p * 0.4 + g * 0.3 + m * 0.3), `${p} ${g} ${m}`);
            assert.deepEqual(body.bands, { pulse: band(p), gane: band(g), moro: band(m), overall: band(overall) });
        }
    });

    it("GANE's trend sees the new PULSE", options, async () => {
        const id = await graph.agent();
        for (let day = 2; day < 9; day++) await snapshot('pulse', id, 70, `${day} days`);
        const { body } = await call(id);
        assert.equal(body.scores.pulse, 0);
        /* Seven of 70 and the new 0: (0 + 6 * 70) / 7 - 70 = -10. */
        assert.equal(body.metrics.gane.trendScore, 5);
    });

    it('fresh builds anew of the scores that there are; recompute has them made', options, async () => {
        const id = await scored(40, 62, 43);
        await cache(id, '1 hour');
        const fresh = (await call(id, { fresh: true })).body;
        assert.equal(fresh.cache.hit, false);
        assert.equal(fresh.scores.pulse, 40);
        assert.deepEqual(await counts(id), [1, 1, 1]);
        assert.equal((await call(id)).body.cache.hit, true);
        const anew = (await call(id, { recompute: true })).body;
        assert.deepEqual(anew.scores, { pulse: 0, gane: 10, moro: 50, overall: 20 });
        assert.deepEqual(await counts(id), [2, 2, 2]);
        assert.equal((await call(id)).body.scores.overall, 20);
    });

    it('an engine that fails leaves its old score, and says so', options, async () => {
        const id = await graph.agent();
        await snapshot('gane', id, 90, '25 hours');
        await withHost({ functions: ['buildGraphContext', 'computePulse'], database: graph.database.url }, async (host) => {
            const { status, body } = await post(host, 'buildGraphContext', { token: await mint(id), body: {} });
            assert.equal(status, 200);
            assert.deepEqual(body.scores, { pulse: 0, gane: 90, moro: 0, overall: 30 });
            assert.deepEqual(body.metrics.gane, { of: 'gane' });
            assert.deepEqual(body.metrics.moro, {});
            assert.deepEqual(body.warnings, ['gane_recompute_failed', 'moro_recompute_failed']);
        });
    });
});

describe('buildGraphContext: what is kept', options, () => {
    const lifetime = async (id) => (await cached(id)).expires_at - Date.parse((await cached(id)).context.timestamp);

    it('15 minutes with a remark, 2 without', options, async () => {
        const id = await scored(1, 2, 3), other = await scored(1, 2, 3);
        await graph.gateway.order({ content: '{"message": "Go on."}' });
        await call(id);
        assert.equal(await lifetime(id), 15 * MINUTE_MS);
        await graph.gateway.order({ status: 500, body: {} });
        await call(other);
        assert.equal(await lifetime(other), 2 * MINUTE_MS);
    });

    it('a score that is newer by the end makes it expire at once', options, async () => {
        const id = await scored(1, 2, 3);
        await graph.gateway.order({ delayMs: 400 });
        const answer = call(id);
        await graph.gateway.arrived(1);
        await snapshot('moro', id, 99, '0 seconds');
        const { body } = await answer;
        assert.equal(body.scores.moro, 3);
        assert.equal(await lifetime(id), 0);
        assert.equal(body.cache.expiresAt, body.timestamp);
        assert.equal((await call(id)).body.scores.moro, 99);
    });

    it('what cannot be kept is answered all the same', options, async () => {
        const id = await scored(1, 2, 3);
        await rows(`ALTER TABLE graph_context_cache ADD CONSTRAINT none CHECK (user_id <> '${id}')`);
        const { status, body } = await call(id);
        await rows('ALTER TABLE graph_context_cache DROP CONSTRAINT none');
        assert.equal(status, 200);
        assert.equal(body.scores.overall, 2);
        assert.deepEqual(body.warnings, ['cache_write_failed']);
        assert.equal(await cached(id), undefined);
        assert.equal(await graph.database.count('edge.leases'), 0);
    });

    it("computePulse's change expires it", options, async () => {
        const id = await scored(1, 2, 3);
        await call(id);
        await graph.call('computePulse', id, {});
        const { body } = await call(id);
        assert.equal(body.cache.hit, false);
        assert.equal(body.scores.pulse, 0);
    });
});

describe('buildGraphContext: the remark', options, () => {
    const insights = async (content) => {
        await graph.gateway.order({ content });
        return (await call(await scored(50, 50, 50))).body.insights;
    };
    const action = (title, type = 'database', priority = 'high') => ({ title, type, priority });

    it('asks the gateway once, without a word about the user', options, async () => {
        const id = await graph.agent({ full_name: 'Zebedee Unmistakable', email: 'zebedee@unmistakable.example' });
        await call(id);
        const [request, ...more] = await graph.gateway.requests();
        assert.equal(more.length, 0);
        assert.equal(request.path, '/v1/chat/completions');
        assert.equal(request.headers.authorization, `Bearer ${credential('LOVABLE_API_KEY')}`);
        assert.match(request.headers['content-type'], /^application\/json/);
        const { model, max_tokens, response_format, messages, ...others } = request.body;
        assert.deepEqual([model, max_tokens, response_format, others],
            ['google/gemini-2.5-flash', 800, { type: 'json_object' }, {}]);
        assert.deepEqual(messages.map(({ role }) => role), ['system', 'user']);
        for (const score of ['0', '10', '50']) assert.match(messages[1].content, new RegExp(`: ${score}\\n`));
        assert.doesNotMatch(JSON.stringify(request.body), new RegExp(`Zebedee|unmistakable|${id}`, 'i'));
    });

    it('an object is taken as it is, fenced or in a sentence', options, async () => {
        const said = { message: 'Call five people. Then rest.', actions: [action('Call five people')] };
        const expected = { ...said, source: 'ai' };
        const text = JSON.stringify(said);
        for (const content of [text, `  ${text}\n`, `\`\`\`json\n${text}\n\`\`\``, `\`\`\`\n${text}\`\`\``, `Here you are: ${text} Good luck!`])
            assert.deepEqual(await insights(content), expected, content);
    });

    it('actions are reduced to three with a title, and to known words', options, async () => {
        const { actions } = await insights(
            JSON.stringify({
                message: 'M',
                actions: [
                    'no object', { type: 'database' }, { title: '' }, { title: 7 },
                    { title: 'A'.repeat(250), type: 'learning', priority: 'low', more: 1 },
                    { title: 'B', type: 'dancing', priority: 'urgent' },
                    { title: 'C' }, { title: 'D' },
                ],
            }),
        );
        assert.deepEqual(actions, [
            action('A'.repeat(200), 'learning', 'low'), action('B', 'system_usage', 'medium'), action('C', 'system_usage', 'medium'),
        ]);
    });

    it('a summary stands for a message; long ones are cut', options, async () => {
        assert.equal((await insights('{"message": "", "summary": "S"}')).message, 'S');
        assert.equal((await insights(JSON.stringify({ message: 'ä'.repeat(1500) }))).message, 'ä'.repeat(1000));
        assert.deepEqual(await insights('{"message": 7, "actions": "none"}'), { message: FALLBACK, actions: [], source: 'fallback' });
        assert.deepEqual(await insights(JSON.stringify({ actions: [action('T')] })),
            { message: FALLBACK, actions: [action('T')], source: 'ai' });
    });

    it('a sentence is the message', options, async () => {
        assert.deepEqual(await insights('  Just call people. '), { message: 'Just call people.', actions: [], source: 'ai' });
        assert.equal((await insights('x'.repeat(2500))).message, 'x'.repeat(2000));
        assert.equal((await insights('[1, 2]')).message, '[1, 2]');
        assert.equal((await insights('Half an {"object": ')).message, 'Half an {"object":');
    });

    it('every failure of the gateway is a fallback', options, async () => {
        const answers = [
            { status: 402, body: { error: { message: 'credits' } } }, { status: 429, body: {} }, { status: 400, body: {} },
            { status: 401, body: {} }, { status: 500, body: 'oops' }, { status: 200, body: 'no JSON' }, { status: 200, body: {} },
            { status: 200, body: { choices: [] } }, { content: '' }, { content: '  \n' }, { drop: true }, { truncateAfter: 20 },
        ];
        for (const answer of answers) {
            await graph.gateway.reset();
            await graph.gateway.order(answer);
            const { status, body } = await call(await scored(50, 50, 50));
            assert.equal(status, 200);
            assert.deepEqual(body.insights, { message: FALLBACK, actions: [], source: 'fallback' }, JSON.stringify(answer));
            assert.equal((await graph.gateway.requests()).length, 1, 'asked once');
        }
    });

    it('so is a gateway that is too slow, and one without a key', options, async () => {
        const id = await scored(50, 50, 50), other = await scored(50, 50, 50);
        const host = { functions, database: graph.database.url };
        await withHost({ ...host, providers: { lovable_ai: { timeout: '300ms' } } }, async (slow) => {
            await fetch(`${slow.url}/sandbox/_control`, {
                method: 'POST',
                headers: { 'content-type': 'application/json' },
                body: JSON.stringify({ provider: 'lovable_ai', answers: [{ delayMs: 1500 }] }),
            });
            const { body } = await post(slow, 'buildGraphContext', { token: await mint(id), body: {} });
            assert.equal(body.insights.source, 'fallback');
        });
        await withHost({ ...host, env: { LOVABLE_API_KEY: null } }, async (keyless) => {
            const { body } = await post(keyless, 'buildGraphContext', { token: await mint(other), body: {} });
            assert.deepEqual(body.insights, { message: FALLBACK, actions: [], source: 'fallback' });
        });
    });
});

describe('buildGraphContext: callers', options, () => {
    it('the service, for the user it names', options, async () => {
        const id = await graph.agent();
        const { body } = await post(graph.host, 'buildGraphContext', { token: SERVICE_KEY, body: { userId: id } });
        assert.equal(body.userId, id);
        assert.deepEqual(await counts(id), [1, 1, 1]);
    });

    it('a user who does not exist: 404, and nobody is asked', options, async () => {
        assertRefused(await call('user_nobody'), 404, 'user_not_found');
        assertRefused(await post(graph.host, 'buildGraphContext', { token: SERVICE_KEY, body: { userId: 'user_nobody' } }),
            404, 'user_not_found');
        assertRefused(await post(graph.host, 'buildGraphContext', { token: SERVICE_KEY, body: {} }), 400, 'invalid_input', 'userId');
        assert.equal((await graph.gateway.requests()).length, 0);
    });
});

refusals(graph, 'buildGraphContext', {
    mode: 'user_or_service',
    wrong: { fresh: NOT.boolean, recompute: NOT.boolean },
    untouched: ['graph_context_cache', 'pulse_engine_snapshots'],
});
