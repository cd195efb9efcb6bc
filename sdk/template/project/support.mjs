/*
 * What tests of functions stand on. `edge test` builds the functions, starts a database and a host for the run, says by
 * EDGE_TEST_URL where the host is, and runs the tests with node's own runner; nothing else is needed.
 */
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/* For every test: one that hangs fails instead of holding up the run. */
export const options = { timeout: 30000 };

const { EDGE_TEST_URL: url, EDGE_TEST_BINARY: binary, EDGE_TEST_CONFIG: config, EDGE_SERVICE_KEY: serviceKey } = process.env;
if (!url) throw new Error('These tests are run by: edge test');

const token = (...args) => execFileSync(binary, ['token', '--config', config, ...args], { encoding: 'utf8' }).trim();

/* Runs the program and answers { status, stdout, stderr }. */
function run(args, input) {
    return new Promise((resolve) => {
        const child = execFile(binary, args, (error, stdout, stderr) => resolve({ status: error ? error.code : 0, stdout, stderr }));
        child.stdin.end(input);
    });
}

function eventsOf(text) {
    const blocks = text.split('\n\n').map((block) => block.split('\n'));
    const value = (lines, name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    return blocks
        .filter((lines) => value(lines, 'data') !== undefined)
        .map((lines) => ({ event: value(lines, 'event') ?? 'message', data: JSON.parse(value(lines, 'data')) }));
}

/* A stream is no JSON: it stays the text that it is. */
async function bodyOf(answer) {
    const text = await answer.text();
    return answer.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text;
}

/* A function at the host of this run. Callers are tokens: of user(), of admin(), of service(), or none. */
export function serve(name) {
    const post = (body, caller) =>
        fetch(`${url}/functions/v1/${name}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...(caller ? { authorization: `Bearer ${caller}` } : {}) },
            body: JSON.stringify(body),
        });
    return {
        /* A token of a signed-in person, of an administrator, of the service. */
        user: async (id = 'user_test') => token('--user', id),
        admin: async (id = 'user_test_admin') => token('--user', id, '--role', 'admin'),
        service: async () => serviceKey,

        /* One call: { status, body, headers }; the body of a stream is its text. */
        async call(body, caller) {
            const answer = await post(body, caller);
            return { status: answer.status, body: await bodyOf(answer), headers: answer.headers };
        },

        /* A streamed call, read to its end: { status, events }. */
        async events(body, caller) {
            const answer = await post(body, caller);
            return { status: answer.status, events: eventsOf(await answer.text()) };
        },

        /* A WebSocket session: sends the messages, and ends when as many have come: { messages } or { refused: status }. */
        async talk(messages, caller) {
            const as = caller ? ['--header', `Authorization: Bearer ${caller}`] : ['--anonymous'];
            const args = ['invoke', name, '-', '--ws', '--config', config, '--url', url, '--count', `${messages.length}`, ...as];
            const { stdout, stderr } = await run(args, messages.map((message) => `${message}\n`).join(''));
            const refused = /refused with (\d+)/.exec(stderr);
            return refused ? { refused: Number(refused[1]) } : { messages: stdout.split('\n').filter((line) => line !== '') };
        },

        /* An event, signed as the provider signs it; the answer's body. */
        async deliver(provider, event) {
            const file = path.join(os.tmpdir(), `edge-event-${process.pid}.json`);
            fs.writeFileSync(file, JSON.stringify(event));
            const { status, stdout, stderr } = await run(['sandbox', 'send', provider, file, '--config', config, '--url', url, '--function', name]);
            fs.rmSync(file);
            if (status !== 0) throw new Error(stderr + stdout);
            return JSON.parse(stdout);
        },
    };
}
