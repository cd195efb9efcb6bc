/*
 * A TCP connection that says exactly what a test wants, and reads answers of HTTP/1.1 off it.
 */
import net from 'node:net';

export class Raw {
    constructor(socket) {
        this.socket = socket;
        this.received = Buffer.alloc(0);
        this.ended = false;
        socket.on('data', (data) => (this.received = Buffer.concat([this.received, data])));
        socket.on('end', () => (this.ended = true));
        socket.on('close', () => (this.ended = true));
        socket.on('error', () => (this.ended = true));
    }

    static async open(port) {
        const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
        return new Raw(socket);
    }

    send(text) {
        this.socket.write(text);
        return this;
    }

    async #until(condition, ms) {
        const end = Date.now() + ms;
        while (!condition()) {
            if (Date.now() > end)
                throw new Error(
                    `Nothing more came in ${ms} ms after:\n${this.received.toString('latin1').slice(0, 2000)}`,
                );
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
    }

    /* The next answer: { status, headers, body, json }. Bodies with a length, in chunks, or up to the end. */
    async answer(ms = 5000) {
        await this.#until(() => this.received.includes('\r\n\r\n') || this.ended, ms);
        const split = this.received.indexOf('\r\n\r\n');
        if (split < 0) throw new Error('The connection was closed without an answer');
        const [first, ...lines] = this.received.subarray(0, split).toString('latin1').split('\r\n');
        const headers = Object.fromEntries(
            lines.map((line) => [
                line.slice(0, line.indexOf(':')).toLowerCase(),
                line.slice(line.indexOf(':') + 1).trim(),
            ]),
        );
        const status = Number(first.split(' ')[1]);
        this.received = this.received.subarray(split + 4);
        const body = await this.#body(status, headers, ms);
        const text = body.toString();
        return {
            status,
            headers,
            body,
            text,
            json: headers['content-type'] === 'application/json' && text ? JSON.parse(text) : undefined,
        };
    }

    async #body(status, headers, ms) {
        if (status === 100) return Buffer.alloc(0);
        if (headers['transfer-encoding'] === 'chunked') return this.#chunks(ms);
        const length = Number(headers['content-length'] ?? -1);
        await this.#until(() => (length < 0 ? this.ended : this.received.length >= length), ms);
        const size = length < 0 ? this.received.length : length;
        const body = this.received.subarray(0, size);
        this.received = this.received.subarray(size);
        return body;
    }

    async #chunks(ms) {
        const pieces = [];
        for (;;) {
            await this.#until(() => this.received.includes('\r\n'), ms);
            const line = this.received.indexOf('\r\n');
            const size = parseInt(this.received.subarray(0, line).toString('latin1'), 16);
            await this.#until(() => this.received.length >= line + 2 + size + 2, ms);
            pieces.push(this.received.subarray(line + 2, line + 2 + size));
            this.received = this.received.subarray(line + 2 + size + 2);
            if (size === 0) return Buffer.concat(pieces);
        }
    }

    /* Resolves when the host has closed its side. */
    closed(ms = 5000) {
        return this.#until(() => this.ended, ms);
    }

    destroy() {
        this.socket.destroy();
    }
}
