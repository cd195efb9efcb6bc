/*
 * downloadCampaignTemplate (spec data.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const templates = suite({ functions: ['downloadCampaignTemplate'] });
const FILE =
    'name,phone,email,address,lead_source,status,notes\r\n' +
    'Alex Rivera,+12025550101,alex@example.com,12 Oak Lane,open_house,Lead,Wants a three bedroom home\r\n' +
    'Sam Patel,+12025550102,sam@example.com,,referral,Prospect,Thinking of selling in spring\r\n' +
    'Jordan Lee,+12025550103,jordan@example.com,48 Lake Road,sphere,Client,Under contract\r\n';
const BUILT_IN = { success: true, fallbackContent: FILE, fileName: 'PULSE_campaign_template.csv', message: 'Template generated successfully' };

const ask = async (body) => (await templates.call('downloadCampaignTemplate', await templates.agent(), body)).body;
const add = (name, uri, active = true, updated = 'now()') =>
    templates.database.rows(
        `INSERT INTO campaign_templates (file_name, file_uri, is_active, updated_at) VALUES ($1, $2, $3, ${updated})`, [name, uri, active]);

refusals(templates, 'downloadCampaignTemplate', { wrong: { format: [...NOT.text, 'xlsx'] } });

describe('downloadCampaignTemplate', options, () => {
    it('no rows: the built-in file', options, async () => {
        assert.deepEqual(await ask({}), BUILT_IN);
        assert.deepEqual(await ask({ format: 'json' }), BUILT_IN);
    });

    it('the newest active row decides', options, async () => {
        await add('old.csv', 'https://files.example.com/old.csv', true, `now() - interval '1 day'`);
        await add('spring.csv', 'https://files.example.com/spring.csv', true, `now() - interval '1 hour'`);
        await add('draft.csv', 'https://files.example.com/draft.csv', false);
        assert.deepEqual(await ask({}), {
            success: true,
            downloadUrl: 'https://files.example.com/spring.csv',
            fileName: 'spring.csv',
            message: 'Template generated successfully',
        });
        await add('x.csv', 'campaign-templates/x.csv');
        assert.deepEqual(await ask({}), BUILT_IN, 'no address to open');
    });

    it('csv: the built-in file whatever rows exist, by POST and GET', options, async () => {
        const headers = { authorization: `Bearer ${await mint(await templates.agent())}`, 'content-type': 'application/json' };
        const url = `${templates.host.url}/functions/v1/downloadCampaignTemplate`;
        for (const answer of [
            await fetch(`${url}?format=csv`, { headers }),
            await fetch(url, { method: 'POST', headers, body: '{"format":"csv"}' }),
        ]) {
            assert.equal(answer.status, 200);
            assert.equal(answer.headers.get('content-type'), 'text/csv; charset=utf-8');
            assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="PULSE_campaign_template.csv"');
            assert.equal(await answer.text(), FILE);
        }
        const wrong = await fetch(`${url}?format=xlsx`, { headers });
        assertRefused({ status: wrong.status, body: await wrong.json() }, 400, 'invalid_input', 'format');
        assert.deepEqual(await (await fetch(url, { headers })).json(), BUILT_IN);
        assert.equal((await (await fetch(`${url}?format=csv`)).json()).code, 'unauthorized');
    });
});
