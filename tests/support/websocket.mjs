/*
 * WebSockets for the transport's own tests: sessions on the test plugins with any options of `ws`, and frames written
 * by hand for what no library sends.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import WebSocket from 'ws';

import { buildDirectory } from './config.mjs';
import { eventually, startHost } from './host.mjs';
import { Raw } from './raw.mjs';
import { Socket } from './streams.mjs';

/* A host of the test plugins with one worker; functions and more as startHost takes them. */
export const startPlugins = ({ functions, server = {}, ...more }) =>
    startHost({
        readyPath: '/_edge/live',
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, ...server },
        sandbox: false,
        functions,
        ...more,
    });

/* The process id of the host's one worker. */
export const workerOf = (host) => Number(execFileSync('pgrep', ['-P', `${host.child.pid}`]).toString());

/* A process's private resident memory in bytes (the log's ring is shared); 0 under sanitizers, whose own drowns it. */
export function residentBytesOf(pid) {
    if (/asan/.test(buildDirectory)) return 0;
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/RssAnon:\s+(\d+) kB/.exec(status)[1]) * 1024;
}

/* The same of the host's one worker. */
export const residentBytes = (host) => residentBytesOf(workerOf(host));

/* How many descriptors it has. */
export const descriptors = (host) => fs.readdirSync(`/proc/${workerOf(host)}/fd`).length;

export const url = (host, target) => `ws://127.0.0.1:${host.port}/functions/v1/${target}`;

/* An open session; options are those of `ws`. */
export const open = (host, target, { protocols, ...options } = {}) =>
    new Socket(url(host, target), protocols ?? [], options).opened();

/* A session with a function that speaks for it: messages are not JSON, and its end has a code and a reason. */
export class Session {
    constructor(address, protocols, options) {
        this.socket = new WebSocket(address, protocols ?? [], { perMessageDeflate: false, ...options });
        this.messages = [];
        this.socket.on('message', (data, binary) => this.messages.push(binary ? data : data.toString()));
        this.socket.on('error', () => {});
        this.closed = new Promise((resolve) =>
            this.socket.on('close', (code, reason) => resolve([code, reason.toString()])),
        );
    }

    /* Resolves once open; rejects with the status when the opening is refused. */
    static open(host, target, { protocols, ...options } = {}) {
        return new Session(url(host, target), protocols, options).opened();
    }

    opened() {
        return new Promise((resolve, reject) => {
            this.socket.on('open', () => resolve(this));
            this.socket.on('unexpected-response', (_, answer) =>
                reject(Object.assign(new Error('Upgrade refused'), { status: answer.statusCode })),
            );
            this.socket.on('error', reject);
        });
    }

    send(message) {
        const plain = typeof message === 'string' || Buffer.isBuffer(message);
        this.socket.send(plain ? message : JSON.stringify(message));
        return this;
    }

    async next(ms = 20000) {
        await eventually(() => this.messages.length > 0, 'a message', ms);
        return this.messages.shift();
    }

    async json(ms) {
        return JSON.parse(await this.next(ms));
    }

    async close(code, reason) {
        this.socket.close(code, reason);
        return this.closed;
    }
}

export const TEXT = 1,
    BINARY = 2,
    CONTINUATION = 0,
    CLOSE = 8,
    PING = 9,
    PONG = 10;

/* One masked frame of a client (RFC 6455 5.2). */
export function frame(opcode, payload = '', { fin = true, rsv1 = false } = {}) {
    const data = Buffer.from(payload);
    const mask = randomBytes(4);
    const head = [(fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode];
    if (data.length < 126) head.push(0x80 | data.length);
    else if (data.length < 65536) head.push(0x80 | 126, data.length >> 8, data.length & 255);
    else
        head.push(
            0x80 | 127,
            0,
            0,
            0,
            0,
            data.length >>> 24,
            (data.length >> 16) & 255,
            (data.length >> 8) & 255,
            data.length & 255,
        );
    return Buffer.concat([Buffer.from(head), mask, data.map((byte, i) => byte ^ mask[i % 4])]);
}

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = createHash('sha1')
    .update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');

/* The head of an opening request; a header of null is left out. */
export function opening(target, headers = {}) {
    const all = {
        Host: 'test',
        Upgrade: 'websocket',
        Connection: 'keep-alive, Upgrade',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': KEY,
        ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== null);
    return `GET /functions/v1/${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/* A session on a raw connection: sends frames by hand and reads the host's, which are never masked. */
export class Wire {
    constructor(raw) {
        this.raw = raw;
        raw.socket.setNoDelay(true); /* frames are to arrive as they are sent */
    }

    static async open(host, target, headers, behind = '') {
        const wire = new Wire(await Raw.open(host.port));
        wire.raw.send(Buffer.concat([Buffer.from(opening(target, headers)), Buffer.from(behind)]));
        wire.answer = await wire.head();
        return wire;
    }

    /* The opening's answer: { status, headers }; frames may follow it at once. */
    async head() {
        const end = await this.#when(
            () => this.raw.received.indexOf('\r\n\r\n'),
            (at) => at >= 0,
        );
        const [first, ...lines] = this.raw.received.subarray(0, end).toString('latin1').split('\r\n');
        this.raw.received = this.raw.received.subarray(end + 4);
        const headers = Object.fromEntries(
            lines.map((line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
        );
        return { status: Number(first.split(' ')[1]), headers };
    }

    async #when(read, enough, ms = 10000) {
        for (const end = Date.now() + ms; ; await new Promise((resolve) => setTimeout(resolve, 2))) {
            const value = read();
            if (enough(value)) return value;
            if (this.raw.ended) throw new Error('The connection ended');
            if (Date.now() > end)
                throw new Error(
                    `Nothing in ${ms} ms behind ${this.raw.received.toString('hex').slice(0, 200)}`,
                );
        }
    }

    send(...args) {
        this.raw.send(frame(...args));
        return this;
    }

    #parse() {
        const bytes = this.raw.received;
        if (bytes.length < 2) return null;
        const short = bytes[1] & 0x7f;
        const head = short === 126 ? 4 : short === 127 ? 10 : 2;
        if (bytes.length < head) return null;
        const length =
            short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
        if (bytes.length < head + length) return null;
        this.raw.received = bytes.subarray(head + length);
        return {
            fin: (bytes[0] & 0x80) !== 0,
            rsv1: (bytes[0] & 0x40) !== 0,
            opcode: bytes[0] & 15,
            payload: Buffer.from(bytes.subarray(head, head + length)),
        };
    }

    /* The host's next frame: { fin, rsv1, opcode, payload }. */
    next(ms) {
        return this.#when(
            () => this.#parse(),
            (parsed) => parsed !== null,
            ms,
        );
    }

    async message(ms) {
        return JSON.parse((await this.next(ms)).payload.toString());
    }

    /* Reads on to the close frame; its code. */
    async closeCode(ms) {
        for (;;) {
            const { opcode, payload } = await this.next(ms);
            if (opcode === CLOSE) return payload.readUInt16BE(0);
        }
    }

    destroy() {
        this.raw.destroy();
    }
}
