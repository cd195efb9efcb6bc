/*
 * /_edge/openapi.json: a valid OpenAPI 3.1 document that says what functions' tables and settings say; and
 * schemas that take and refuse what the host takes and refuses.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

import { buildDirectory } from '../support/config.mjs';
import { startHost } from '../support/host.mjs';
import { certificate, connect2, request2 } from '../support/secure.mjs';

const options = { timeout: 120000 };
const settings = (server = {}) => ({
    sandbox: false, readyPath: '/_edge/live',
    server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, ...server },
    functions: {
        request_strict: { auth: 'public', rate_limit: '60/min per ip', timeout: '7s', max_body: '64KiB' },
        multipart_parts: { auth: 'user' },
        response_file: { auth: 'optional', env: ['FILES_DIRECTORY'], route: '/files/{owner}/*' },
        response_kinds: { auth: 'user_or_service' },
        csv_file: { auth: 'admin' },
        csv_rows: { auth: 'service' },
        hello: { auth: 'webhook:svix', webhook_secret: 'HOOK_SECRET' },
        ws_story: { auth: 'public' },
        wsx_echo: { auth: 'public' },
        wsx_talk: { auth: 'user' },
        echo: { auth: 'public', enabled: false },
    },
});
let host, document;

before(async () => {
    host = await startHost(settings());
    document = await (await fetch(`${host.url}/_edge/openapi.json`)).json();
}, options);

after(() => host?.stop(), options);

const operation = (name, method = 'post') => document.paths[`/functions/v1/${name}`][method];
const bodySchema = (name) => operation(name).requestBody.content['application/json'].schema;

describe('openapi: document', options, () => {
    it('is valid', options, async () => {
        const validator = new Validator();
        const result = await validator.validate(document);
        assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
        assert.equal(validator.version, '3.1');
    });

    it('has the functions that are served, and no others', options, () => {
        assert.deepEqual(Object.keys(document.paths).sort(), [
            '/files/{owner}/{path}', '/functions/v1/csv_file', '/functions/v1/csv_rows', '/functions/v1/hello', '/functions/v1/multipart_parts',
            '/functions/v1/request_strict', '/functions/v1/response_kinds', '/functions/v1/ws_story', '/functions/v1/wsx_echo', '/functions/v1/wsx_talk',
        ]);
        const ids = Object.values(document.paths).flatMap((item) => Object.values(item).map((one) => one.operationId).filter(Boolean));
        assert.equal(new Set(ids).size, ids.length);
    });

    it('is the same over HTTP/2, for HEAD, and answers GET only', options, async () => {
        const secrets = certificate();
        const secure = await startHost({ ...settings(secrets.server), tls: true });
        const session = connect2(secure);
        try {
            assert.deepEqual((await request2(session, '/_edge/openapi.json')).json, document);
        } finally {
            session.destroy();
            await secure.stop();
            secrets.remove();
        }
        const head = await fetch(`${host.url}/_edge/openapi.json`, { method: 'HEAD' });
        assert.equal(head.status, 200);
        assert.equal((await fetch(`${host.url}/_edge/openapi.json`, { method: 'POST' })).status, 405);
    });
});

describe('openapi: operations', options, () => {
    it('security follows the auth mode', options, () => {
        assert.deepEqual(operation('request_strict').security, []);
        assert.deepEqual(operation('multipart_parts').security, [{ clerkHeader: [] }, { bearer: [] }]);
        assert.deepEqual(document.paths['/files/{owner}/{path}'].get.security, [{}, { clerkHeader: [] }, { bearer: [] }]);
        assert.deepEqual(operation('response_kinds').security, [{ clerkHeader: [] }, { bearer: [] }, { serviceKey: [] }]);
        assert.deepEqual(operation('csv_rows').security, [{ serviceKey: [] }]);
        assert.deepEqual(operation('hello').security, [{ webhookSignature: [] }]);
    });

    it('limits, names and versions of the configuration', options, () => {
        const strict = operation('request_strict');
        assert.equal(strict.operationId, 'request_strict');
        assert.equal(strict.summary, 'Takes what its table describes and nothing else');
        assert.deepEqual(strict['x-rate-limit'], { limit: 60, windowSeconds: 60, per: 'ip' });
        assert.equal(strict['x-timeout-ms'], 7000);
        assert.equal(strict['x-max-body-bytes'], 65536);
        assert.match(strict['x-function-version'], /^[0-9a-f]{40}$/);
        assert.equal(operation('csv_file')['x-rate-limit'], undefined);
    });

    it('paths, parameters and methods', options, () => {
        const item = document.paths['/files/{owner}/{path}'];
        assert.deepEqual(item.parameters.map((one) => [one.name, one.in, one.required]), [['owner', 'path', true], ['path', 'path', true]]);
        assert.deepEqual(Object.keys(item).sort(), ['get', 'head', 'parameters', 'post']);
        assert.equal(item.get.operationId, 'response_file_get');
        assert.equal(item.get.requestBody, undefined);
    });

    it('sessions are opened by GET; a function that speaks for nothing else has no other operation', options, () => {
        assert.deepEqual(Object.keys(document.paths['/functions/v1/wsx_echo']), ['get']);
        assert.deepEqual(Object.keys(document.paths['/functions/v1/wsx_talk']).sort(), ['get', 'post']);
        const { operationId, responses, requestBody, ...session } = operation('wsx_echo', 'get');
        assert.equal(operationId, 'wsx_echo_session');
        assert.ok(session['x-websocket'].subprotocols.length > 0);
        assert.ok(responses[101] && responses[503] && !responses[200] && !responses[400] && !requestBody);
        assert.deepEqual(operation('wsx_talk', 'get').security, [{ clerkHeader: [] }, { bearer: [] }]);
    });

    it('media types of bodies and answers', options, () => {
        assert.deepEqual(Object.keys(operation('multipart_parts').requestBody.content), ['multipart/form-data']);
        assert.deepEqual(Object.keys(operation('csv_file').responses[200].content), ['text/csv']);
        assert.deepEqual(Object.keys(operation('ws_story').responses[200].content), ['application/json', 'text/event-stream']);
        assert.deepEqual(operation('request_strict').responses[200].content['application/json'].schema.required, ['name', 'colour', 'gift']);
    });

    it('errors: what every function can answer, what its settings bring, its own', options, () => {
        const codes = (name) => Object.fromEntries(Object.entries(operation(name).responses).filter(([, one]) => one['x-codes']).map(([status, one]) => [status, one['x-codes']]));
        const strict = codes('request_strict');
        assert.deepEqual(strict[400], ['invalid_json', 'invalid_input']);
        assert.deepEqual(strict[409], ['order_closed']);
        assert.deepEqual(strict[429], ['rate_limited']);
        assert.equal(strict[401], undefined);
        assert.ok(strict[503].includes('not_configured'));
        assert.deepEqual(strict[504], ['timeout']);
        assert.match(operation('request_strict').responses[409].description, /The order cannot be changed any more/);
        assert.deepEqual(codes('csv_file')[403], ['admin_required']);
        assert.deepEqual(codes('response_kinds')[403], ['user_mismatch']);
        assert.deepEqual(codes('hello')[401], ['missing_signature', 'invalid_signature', 'stale_timestamp']);
        assert.deepEqual(document.components.schemas.Error.required, ['error', 'code', 'requestId']);
    });
});

describe('openapi: schemas', options, () => {
    it('say what the table says', options, () => {
        const { properties, additionalProperties, allOf } = bodySchema('request_strict');
        assert.equal(additionalProperties, false);
        assert.deepEqual(allOf, [{ anyOf: [{ required: ['name'] }, { required: ['title'] }] }]);
        assert.deepEqual(properties.name, { type: 'string', minLength: 2, maxLength: 5, description: 'Of the order' });
        assert.equal(properties.title.deprecated, true);
        assert.deepEqual(properties.colour, { type: ['string', 'null'], enum: ['red', 'green', null], default: 'red' });
        assert.deepEqual(properties.gift, { type: ['boolean', 'null'], default: false });
        assert.equal(properties.items.items.properties.price.maximum, 1000);
        assert.equal(properties.items.items.properties.count.default, 1);
        assert.equal(properties.items.items.additionalProperties, false);
        assert.deepEqual(properties.any, { 'x-min-bytes': 3, 'x-max-bytes': 60, description: 'Kept as it is' });
        assert.equal(properties.mail.format, 'email');
    });

    it('take and refuse what the host takes and refuses', options, async () => {
        const ajv = new Ajv({ strict: false });
        formats(ajv);
        const valid = ajv.compile(bodySchema('request_strict'));
        const id = '11111111-1111-4111-8111-111111111111';
        const bodies = [
            [{ name: 'abc' }, 200], [{ title: 'abc' }, 200], [{}, 400], [{ name: null }, 400], [{ name: 'a' }, 400], [{ name: 'abcdef' }, 400], [{ name: 'abc', x: 1 }, 400],
            [{ name: 'abc', colour: 'red' }, 200], [{ name: 'abc', colour: null }, 200], [{ name: 'abc', colour: 'blue' }, 400],
            [{ name: 'abc', items: [{ price: 1 }] }, 200], [{ name: 'abc', items: [] }, 400], [{ name: 'abc', items: [{}] }, 400], [{ name: 'abc', items: [{ price: 1, count: 1.5 }] }, 400],
            [{ name: 'abc', id }, 200], [{ name: 'abc', id: 'x' }, 400], [{ name: 'abc', mail: 'a@b.example' }, 200], [{ name: 'abc', mail: 'a' }, 400],
            [{ name: 'abc', day: '2026-02-28' }, 200], [{ name: 'abc', day: '2026-02-30' }, 400], [{ name: 'abc', link: 'https://a.example/x' }, 200], [{ name: 'abc', big: '1' }, 400],
            [{ name: 'abc', gift: true, ratio: 0.5, any: { a: 1 } }, 200], [[], 400],
        ];
        for (const [body, status] of bodies) {
            const answer = await fetch(`${host.url}/functions/v1/request_strict`, { method: 'POST', body: JSON.stringify(body) });
            assert.equal(answer.status, status, JSON.stringify(body));
            assert.equal(valid(body), status === 200, `${JSON.stringify(body)}: ${JSON.stringify(valid.errors)}`);
        }
    });
});
