/*
 * One function on a host of its own, by the calls that tests written by `edge new` are made of: those of
 * sdk/template/project/support.mjs, which has them for projects outside this tree.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import WebSocket from 'ws';

import { post } from './clients.mjs';
import { buildDirectory } from './config.mjs';
import { SERVICE_KEY } from './host.mjs';
import { allEvents } from './streams.mjs';
import { options, suite } from './suite.mjs';
import { mint } from './tokens.mjs';

export { options };

/* Of any provider: base64 behind the prefix that svix's have, and a plain text to the others. */
const SECRET = 'whsec_cHVsc2UtZWRnZS13ZWJob29rLXRlc3Qta2V5LTAx';

/* Messages and then their end; as many answers are awaited. */
function talk(address, said, headers) {
    const socket = new WebSocket(address, { headers });
    const messages = [];
    return new Promise((resolve, reject) => {
        socket.on('unexpected-response', (_, answer) => (answer.destroy(), resolve({ refused: answer.statusCode })));
        socket.on('error', reject);
        socket.on('open', () => said.forEach((message) => socket.send(message)));
        socket.on('message', (data) => messages.push(data.toString()) === said.length && socket.close());
        socket.on('close', () => resolve({ messages }));
    });
}

/* The function at a host; secret: the variable that holds a webhook's. */
export function serve(name, { secret } = {}) {
    const env = secret ? { [secret]: SECRET } : {};
    const own = suite({ functions: [name], env });
    return {
        user: async (id) => mint(id ?? (await own.agent())),
        admin: async () => mint(await own.admin()),
        service: async () => SERVICE_KEY,
        call: (body, token) => post(own.host, name, { token, body }),
        async events(body, token) {
            const answer = await fetch(`${own.host.url}/functions/v1/${name}`, {
                method: 'POST',
                headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
                body: JSON.stringify(body),
            });
            return { status: answer.status, events: (await allEvents(answer)).map(({ event, data }) => ({ event, data })) };
        },
        talk: (messages, token) =>
            talk(`ws://127.0.0.1:${own.host.port}/functions/v1/${name}`, messages, token ? { authorization: `Bearer ${token}` } : {}),
        async deliver(provider, event) {
            const file = path.join(own.host.directory, 'event.json');
            fs.writeFileSync(file, JSON.stringify(event));
            const config = path.join(own.host.directory, 'functions.toml');
            const args = ['sandbox', 'send', provider, file, '--config', config, '--url', own.host.url, '--function', name];
            return new Promise((resolve, reject) =>
                execFile(path.join(buildDirectory, 'edge'), args, { env: { ...process.env, ...env } }, (error, stdout) =>
                    error ? reject(error) : resolve(JSON.parse(stdout)),
                ),
            );
        },
    };
}
