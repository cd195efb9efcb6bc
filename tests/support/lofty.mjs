/*
 * What loftySync's test files share: a host with it, people with a Lofty account, their rows, streamed runs.
 */
import assert from 'node:assert/strict';

import { connect, connectionOf, limits } from './crm.mjs';
import { suite } from './suite.mjs';
import { mint } from './tokens.mjs';

/* Registers the suite's hooks in the file that calls it. */
export function loftySuite() {
    const syncs = suite({ functions: ['loftySync'], env: { ...limits, CRM_RETRY_MS: '10' } });
    const lofty = syncs.provider('lofty');
    const call = (id, body = {}, more = {}) => syncs.call('loftySync', id, body, more);

    async function agent(key = 'lk-1', settings = {}) {
        const id = await syncs.agent();
        await connect(syncs, id, 'lofty', { api_key: key }, { settings });
        return id;
    }
    async function synced(id, body, more) {
        const answer = await call(id, body, more);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.equal(answer.body.success, true);
        return answer.body;
    }
    const contactsOf = (id) => syncs.database.rows(`SELECT * FROM contacts WHERE user_id = $1 ORDER BY external_id`, [id]);
    const dealsOf = (id) => syncs.database.rows(
        `SELECT *, expected_close_date::text AS day FROM transactions WHERE user_id = $1 ORDER BY metadata ->> 'lofty_id'`, [id]);
    const leads = (list, metadata = {}) => ({ body: { _metadata: { total: list.length, ...metadata }, leads: list } });
    const deals = (list, totalCount = list.length) => ({ body: { totalCount, pageData: list } });
    const stateOf = async (id) => (await connectionOf(syncs, id)).sync_settings;

    /* The events of a streamed run, and its status. */
    async function stream(id, body = {}, more = {}) {
        const answer = await fetch(`${(more.host ?? syncs.host).url}/functions/v1/loftySync`, {
            method: 'POST',
            signal: more.signal,
            headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${await mint(id)}` },
            body: JSON.stringify(body),
        });
        const text = await answer.text();
        const events = text.split('\n\n').filter((block) => block.includes('event:')).map((block) => ({
            event: /^event: ?(.*)$/m.exec(block)[1],
            data: JSON.parse(/^data: ?(.*)$/m.exec(block)[1]),
        }));
        return { status: answer.status, text, events };
    }

    return { syncs, lofty, call, agent, synced, contactsOf, dealsOf, leads, deals, stateOf, stream };
}
