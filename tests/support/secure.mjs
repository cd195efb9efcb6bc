/*
 * A certificate of one's own for hosts with TLS, and requests over HTTP/2.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';

import { startHost } from './host.mjs';

/* Makes a directory with cert.pem and key.pem: { directory, server (settings), remove }. */
export function certificate() {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-certificate-'));
    const file = (name) => path.join(directory, name);
    execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
            '-addext', 'subjectAltName=DNS:localhost', '-keyout', file('key.pem'), '-out', file('cert.pem')],
        { stdio: 'ignore' },
    );
    return {
        directory,
        server: { tls_cert: file('cert.pem'), tls_key: file('key.pem') },
        remove: () => fs.rmSync(directory, { recursive: true, force: true }),
    };
}

export const connect2 = (host, settings) => http2.connect(host.url, { rejectUnauthorized: false, ...settings });

/*
 * The same host twice, without and with TLS, and an HTTP/2 session with the second: { host, secureHost, session, stop }.
 * settings(server) are startHost's, with more settings of [server].
 */
export async function startBoth(settings) {
    const secrets = certificate();
    const host = await startHost(settings());
    const secureHost = await startHost({ ...settings(secrets.server), tls: true }).catch(async (error) => {
        await host.stop();
        throw error;
    });
    const session = connect2(secureHost);
    const stop = async () => {
        session.destroy();
        await host.stop();
        await secureHost.stop();
        secrets.remove();
    };
    return { host, secureHost, session, stop };
}

/* One request over a session: { status, headers, body, text, json }. */
export function request2(session, requestPath, { method = 'GET', headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
        const stream = session.request({ ':method': method, ':path': requestPath, ...headers });
        const pieces = [];
        let head = {};
        stream.on('response', (received) => (head = received));
        stream.on('data', (piece) => pieces.push(piece));
        stream.on('error', reject);
        stream.on('end', () => {
            const whole = Buffer.concat(pieces);
            const text = whole.toString();
            const isJson = head['content-type'] === 'application/json' && text !== '';
            resolve({ status: head[':status'], headers: head, body: whole, text, json: isJson ? JSON.parse(text) : undefined });
        });
        stream.end(body);
    });
}
