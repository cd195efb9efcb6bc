/*
 * getSignedAudioUrl (spec ai.md): whose recordings, and under which names.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'getSignedAudioUrl';
const ai = suite({ functions: [NAME] });
const call = (id, body) => ai.call(NAME, id, body);
const callLog = (id, url) => ai.database.rows(`INSERT INTO call_logs (user_id, call_type, recording_url) VALUES ($1, 'outbound', $2)`, [id, url]);
const rolePlay = (id, url) => ai.database.rows(`INSERT INTO role_play_session_logs (user_id, recording_url) VALUES ($1, $2)`, [id, url]);
const claims = (url) => JSON.parse(Buffer.from(new URL(url).searchParams.get('token').split('.')[1], 'base64url'));

describe(`${NAME}: examples`, options, () => {
    it("1: a call's recording", options, async () => {
        const id = await ai.agent(), path = `${id}/calls/c1.mp3`;
        await callLog(id, path);
        const { status, body } = await call(id, { file_uri: path });
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual([body.signedUrl, body.expiresIn], [body.signed_url, 3600]);
        assert.ok(body.signed_url.startsWith(`${ai.host.url}/storage/v1/object/sign/audio-recordings/${path}?token=`));
        const { url, exp, iat } = claims(body.signed_url);
        assert.deepEqual([url, exp - iat], [`audio-recordings/${path}`, 3600]);
        assert.ok(Math.abs(Date.parse(body.expiresAt) - exp * 1000) < 2000);
        assert.deepEqual(Object.keys(body).sort(), ['expiresAt', 'expiresIn', 'signedUrl', 'signed_url']);
    });

    it("2: somebody else's, also when a row of one's own names it", options, async () => {
        const id = await ai.agent(), other = await ai.agent();
        await callLog(other, `${other}/calls/c1.mp3`);
        await callLog(id, `${other}/calls/c1.mp3`);
        for (const body of [{ file_uri: `${other}/calls/c1.mp3` }, { file_uri: `audio-recordings/${other}/calls/c1.mp3` }, { bucket: 'agent-voices', path: `${other}/x.mp3` }, { file_uri: `${id}x/c1.mp3` }, { file_uri: id }])
            assertRefused(await call(id, body), 403, 'forbidden');
    });

    it('3: one that is not known', options, async () => {
        const id = await ai.agent();
        await callLog(id, `${id}/calls/c1.mp3`);
        assertRefused(await call(id, { file_uri: `${id}/calls/none.mp3` }), 404, 'not_found');
    });

    it('4: paths that climb, and other malformed ones', options, async () => {
        const id = await ai.agent();
        for (const path of [`${id}/../user_b/x.mp3`, `/${id}/x.mp3`, `${id}//x.mp3`, `${id}/./x.mp3`, `${id}/x.mp3/`, `${id}\\x.mp3`, `${id}/a\u0007b`, `${id}/..`]) {
            assertRefused(await call(id, { file_uri: path }), 400, 'invalid_input', 'file_uri');
            assertRefused(await call(id, { bucket: 'agent-voices', path }), 400, 'invalid_input', 'path');
        }
        for (const uri of ['http://cdn.example/a.mp3', 'file:///etc/passwd', 's3://bucket/a.mp3', 'agent-voices'])
            assertRefused(await call(id, { file_uri: uri }), 400, 'invalid_input', 'file_uri');
        assertRefused(await call(id, { bucket: 'secrets', path: `${id}/x` }), 400, 'invalid_input', 'bucket');
        for (const body of [{}, { bucket: 'agent-voices' }, { path: `${id}/x` }]) assertRefused(await call(id, body), 400, 'invalid_input', 'file_uri');
    });
});

describe(`${NAME}: names`, options, () => {
    it('with and without the bucket, of calls and of role plays', options, async () => {
        const id = await ai.agent();
        await rolePlay(id, `audio-recordings/${id}/role-play/r 1.mp3`);
        await rolePlay(id, `generated-content/${id}/g.mp3`);
        for (const [body, path] of [
            [{ file_uri: `${id}/role-play/r 1.mp3` }, `audio-recordings/${id}/role-play/r 1.mp3`],
            [{ file_uri: `audio-recordings/${id}/role-play/r 1.mp3`, bucket: 'ignored', path: '/ignored' }, `audio-recordings/${id}/role-play/r 1.mp3`],
            [{ bucket: 'generated-content', path: `${id}/g.mp3`, expiresIn: 60 }, `generated-content/${id}/g.mp3`],
        ]) {
            const { status, body: answer } = await call(id, body);
            assert.equal(status, 200, JSON.stringify(answer));
            assert.equal(claims(answer.signed_url).url, path);
            assert.ok(!answer.signed_url.includes(' '));
        }
    });

    it('objects that the store lists need no row', options, async () => {
        const id = await ai.agent();
        await ai.database.rows(`CREATE SCHEMA storage; CREATE TABLE storage.objects (bucket_id text, name text, PRIMARY KEY (bucket_id, name));
            GRANT USAGE ON SCHEMA storage TO service_role; GRANT SELECT ON storage.objects TO service_role`);
        try {
            await ai.database.rows(`INSERT INTO storage.objects VALUES ('agent-voices', $1)`, [`${id}/v.mp3`]);
            assert.equal((await call(id, { bucket: 'agent-voices', path: `${id}/v.mp3` })).status, 200);
            assertRefused(await call(id, { file_uri: `${id}/v.mp3` }), 404, 'not_found');
        } finally {
            await ai.database.rows('DROP SCHEMA storage CASCADE');
        }
    });

    it("recordings kept elsewhere: one's own come back as they are, others are 403", options, async () => {
        const id = await ai.agent(), url = 'https://api.example/recordings/RE1.mp3?x=1';
        assertRefused(await call(id, { file_uri: url }), 403, 'forbidden');
        await callLog(await ai.agent(), url);
        assertRefused(await call(id, { file_uri: url }), 403, 'forbidden');
        await rolePlay(id, url);
        assert.deepEqual((await call(id, { file_uri: url })).body, { signedUrl: url, signed_url: url, expiresIn: null, expiresAt: null });
    });
});

refusals(ai, NAME, {
    body: { file_uri: 'https://api.example/a.mp3' },
    wrong: { file_uri: ['x'.repeat(1025), ...NOT.text], bucket: NOT.text, path: ['x'.repeat(1025), ...NOT.text], expiresIn: [59, 86401, ...NOT.integer] },
});
