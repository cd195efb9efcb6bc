/*
 * whisperSTT (spec ai.md): recordings of every kind and size, and two providers.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'whisperSTT';
const MOST = 26214400;
const ai = suite({ functions: [NAME] });
const call = async (body) => ai.call(NAME, await ai.agent(), body);
const raw = async (type, bytes, query = '') => {
    const answer = await fetch(`${ai.host.url}/functions/v1/${NAME}${query}`, {
        method: 'POST', headers: { authorization: `Bearer ${await mint('user_a')}`, 'content-type': type }, body: bytes,
    });
    return { status: answer.status, body: await answer.json() };
};
const form = async (provider = 'lovable_ai') => {
    const { parts } = (await ai.provider(provider).bodies()).at(-1);
    return { file: parts.find(({ name }) => name === 'file'), ...Object.fromEntries(parts.filter(({ text }) => text !== undefined).map(({ name, text }) => [name, text])) };
};
const AUDIO = { audioBase64: 'AAEC', mimeType: 'audio/wav' };

describe(`${NAME}: examples`, options, () => {
    it('1: base64 in JSON, and what is sent', options, async () => {
        await ai.gateway.order({ text: ' Hi there ' });
        const { status, body } = await call(AUDIO);
        assert.deepEqual([status, body], [200, { success: true, text: 'Hi there', transcript: 'Hi there', language: 'en' }]);
        const { file, ...rest } = await form();
        assert.deepEqual(rest, { model: 'openai/gpt-4o-mini-transcribe', language: 'en', response_format: 'json' });
        assert.deepEqual([file.filename, file.mediaType, file.length, file.sha256], ['audio.wav', 'audio/wav', 3, crypto.createHash('sha256').update(Buffer.from([0, 1, 2])).digest('hex')]);
        assert.equal((await ai.gateway.requests())[0].headers.authorization, 'Bearer test-lovable-api-key');
    });

    it('2: what is no base64, and nothing at all', options, async () => {
        for (const audioBase64 of ['%%%', 'AAE', 'AA=A', 'data:audio/wav;base64,%', 'data:audio/wav,AAEC', 'data:audio/wav;base64,', 'ÄÖÜ='])
            assertRefused(await call({ audioBase64 }), 400, 'invalid_input', 'audioBase64');
        assertRefused(await raw('audio/webm', ''), 400, 'invalid_input', 'audioBase64');
        assert.equal((await ai.gateway.requests()).length, 0);
    });

    it('3: types that are no recordings', options, async () => {
        for (const mimeType of ['text/plain', 'audio/midi', 'audio', 'video/quicktime'])
            assertRefused(await call({ ...AUDIO, mimeType }), 415, 'unsupported_media_type');
        for (const type of ['audio/midi', 'video/quicktime', 'image/png']) assertRefused(await raw(type, 'x'), 415, 'unsupported_media_type');
    });

    it('4: where the gateway has none, OpenAI transcribes; its outcome is final', options, async () => {
        const openai = ai.provider('openai');
        for (const status of [404, 405, 501]) {
            await ai.gateway.order({ status, body: {} });
            await openai.order({ text: 'Yes' });
            const { body } = await call(AUDIO);
            assert.equal(body.text, 'Yes');
        }
        assert.equal((await form('openai')).model, 'whisper-1');
        assert.equal((await openai.requests())[0].headers.authorization, 'Bearer test-openai-api-key');
        await ai.gateway.order({ status: 404, body: {} });
        await openai.order({ status: 404, body: {} });
        assertRefused(await call(AUDIO), 502, 'provider_error');
    });
});

describe(`${NAME}: recordings`, options, () => {
    it('each type has its ending, parameters are cut off', options, async () => {
        for (const [type, ending] of [
            ['audio/webm;codecs=opus', 'webm'], ['video/webm', 'webm'], ['audio/mp4', 'm4a'], ['audio/m4a', 'm4a'], ['audio/x-m4a', 'm4a'], ['video/mp4', 'm4a'],
            ['audio/mpeg', 'mp3'], ['audio/mp3', 'mp3'], ['AUDIO/WAV', 'wav'], ['audio/x-wav', 'wav'], ['audio/wave', 'wav'], ['audio/ogg ; x=y', 'ogg'], ['audio/flac', 'flac'],
        ]) {
            assert.equal((await call({ ...AUDIO, mimeType: type })).status, 200, type);
            assert.equal((await form()).file.filename, `audio.${ending}`);
            assert.equal((await raw(type, Buffer.from([0, 1, 2]), '?language=DE')).body.language, 'de', type);
            assert.deepEqual([(await form()).file.filename, (await form()).language], [`audio.${ending}`, 'de']);
        }
    });

    it("a data URL's own type, mimeType before it, white space, webm when nothing says another", options, async () => {
        for (const [body, ending] of [
            [{ audioBase64: 'data:audio/ogg;codecs=opus;base64,AAEC' }, 'ogg'], [{ audioBase64: 'data:audio/ogg;base64,AAEC', mimeType: 'audio/flac' }, 'flac'],
            [{ audioBase64: ' AA\r\nE C ' }, 'webm'],
        ]) {
            assert.equal((await call(body)).status, 200);
            assert.deepEqual([(await form()).file.filename, (await form()).file.length], [`audio.${ending}`, 3]);
        }
    });

    it('an empty transcript is a success', options, async () => {
        await ai.gateway.order({ text: ' \n' });
        assert.deepEqual((await call(AUDIO)).body, { success: true, text: '', transcript: '', language: 'en' });
    });

    it('26,214,400 bytes pass, one more does not, as bytes and as base64', options, async () => {
        const most = Buffer.alloc(MOST, 'audio'), digest = crypto.createHash('sha256').update(most).digest('hex');
        const largest = await raw('audio/wav', most);
        assert.equal(largest.status, 200, JSON.stringify(largest.body));
        assert.equal((await form()).file.sha256, digest);
        const encoded = await call({ audioBase64: most.toString('base64') });
        assert.equal(encoded.status, 200, JSON.stringify(encoded.body));
        assert.equal((await form()).file.sha256, digest);
        const more = Buffer.alloc(MOST + 1);
        assertRefused(await raw('audio/wav', more), 413, 'audio_too_large');
        assertRefused(await call({ audioBase64: more.toString('base64') }), 413, 'audio_too_large');
        assert.equal((await ai.gateway.requests()).length, 2);
    });

    for (const [order, status, code] of [
        [{ status: 429, body: {}, headers: { 'retry-after': '3' } }, 429, 'provider_rate_limited'], [{ status: 402, body: {} }, 402, 'out_of_credits'], [{ status: 400, body: {} }, 422, 'provider_rejected'],
        [{ status: 413, body: {} }, 422, 'provider_rejected'], [{ status: 500, body: {} }, 502, 'provider_error'], [{ status: 401, body: {} }, 502, 'provider_error'],
        [{ status: 200, body: 'text' }, 502, 'bad_provider_output'], [{ status: 200, body: { text: 7 } }, 502, 'bad_provider_output'], [{ text: 'abc', truncateAfter: 3 }, 502, 'provider_error'],
    ])
        it(`the gateway's ${JSON.stringify(order)} is ${status} ${code}`, options, async () => {
            await ai.gateway.order(order);
            const answer = await call(AUDIO);
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
        });
});

describe(`${NAME}: keys`, options, () => {
    const ask = async (host) => post(host, NAME, { token: await mint('user_a'), body: AUDIO });
    const host = (env) => ({ functions: [NAME], ...UNREACHABLE, env });
    it("without the gateway's OpenAI's, without both 503; STT_MODEL is the model", options, async () => {
        await withHost(host({ LOVABLE_API_KEY: null }), async (openai) => {
            assert.equal((await ask(openai)).status, 200);
            assert.equal((await new Sandbox(openai, 'openai').requests()).length, 1);
        });
        await withHost(host({ LOVABLE_API_KEY: null, OPENAI_API_KEY: null }), async (none) => {
            const answer = await ask(none);
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /LOVABLE_API_KEY/);
        });
        await withHost(host({ OPENAI_API_KEY: null, STT_MODEL: 'openai/gpt-4o-transcribe' }), async (gateway) => {
            await new Sandbox(gateway, 'lovable_ai').order({ text: 'x' }, { status: 404, body: {} });
            assert.equal((await ask(gateway)).status, 200);
            assertRefused(await ask(gateway), 502, 'provider_error');
            const { parts } = (await new Sandbox(gateway, 'lovable_ai').bodies())[0];
            assert.equal(parts.find(({ name }) => name === 'model').text, 'openai/gpt-4o-transcribe');
        });
    });
});

refusals(ai, NAME, {
    body: AUDIO, required: ['audioBase64'],
    wrong: { audioBase64: NOT.text, mimeType: NOT.text, language: ['eng', 'e', 'e1', ...NOT.text] },
    withoutDatabase: true,
});
