/*
 * Reading streamed answers: server-sent events with the time each arrived, and WebSocket messages.
 */
import WebSocket from 'ws';

function parseBlock(block) {
    const event = { event: 'message', comments: [] };
    const data = [];
    for (const line of block.split('\n')) {
        if (line.startsWith(':')) event.comments.push(line.slice(1).trim());
        else if (line.startsWith('event: ')) event.event = line.slice(7);
        else if (line.startsWith('data: ')) data.push(line.slice(6));
        else
            throw new Error(
                `Not a line of the event stream format as the specification has it: ${JSON.stringify(line)}`,
            );
    }
    if (data.length > 1) throw new Error('The data of an event is not on one line');
    return data.length === 1 ? { ...event, raw: data[0], data: JSON.parse(data[0]) } : event;
}

/* Yields the events of a fetch answer as they arrive, each with `at`, milliseconds since the call. */
export async function* events(answer) {
    const began = performance.now();
    const decoder = new TextDecoder();
    let text = '';
    for await (const piece of answer.body) {
        text += decoder.decode(piece, { stream: true });
        for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
            const event = parseBlock(text.slice(0, end));
            if (event.data !== undefined) yield { ...event, at: performance.now() - began };
        }
    }
    if (text !== '') throw new Error(`The stream ended inside an event: ${JSON.stringify(text)}`);
}

export async function allEvents(answer) {
    const all = [];
    for await (const event of events(answer)) all.push(event);
    return all;
}

/* The text that the chunks of a streamed chat answer bring. */
export const streamedText = (all) =>
    all
        .filter((event) => event.event === 'message' || event.event === 'delta')
        .map((event) => event.data.choices[0].delta.content ?? '')
        .join('');

/* A socket whose messages can be waited for one by one. */
export class Socket {
    constructor(url, protocols, options) {
        this.socket = new WebSocket(url, protocols, options);
        this.messages = [];
        this.waiting = [];
        this.socket.on('message', (data) => this.#deliver(JSON.parse(data.toString())));
        this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
    }

    #deliver(message) {
        const waiter = this.waiting.shift();
        if (waiter) waiter(message);
        else this.messages.push(message);
    }

    /* Resolves once open; rejects with the status when the upgrade is refused. */
    opened(ms = 10000) {
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error(`Not open after ${ms} ms`)), ms);
            this.socket.on('open', () => clearTimeout(timer));
            this.socket.on('open', () => resolve(this));
            this.socket.on('unexpected-response', (_, answer) =>
                reject(Object.assign(new Error(`Upgrade refused`), { status: answer.statusCode })),
            );
            this.socket.on('error', reject);
        });
    }

    send(message) {
        this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    }

    next(ms = 10000) {
        if (this.messages.length > 0) return Promise.resolve(this.messages.shift());
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error(`No message in ${ms} ms`)), ms);
            this.waiting.push((message) => {
                clearTimeout(timer);
                resolve(message);
            });
        });
    }

    /* All messages up to the one that ends a turn, it included. */
    async turn() {
        const all = [];
        for (;;) {
            all.push(await this.next());
            if (['final', 'error'].includes(all.at(-1).event)) return all;
        }
    }

    async close() {
        this.socket.close();
        await this.closed;
    }
}

/* A session on a function's route, the token in the header as servers and tests send it, or in the subprotocol. */
export function connect(host, name, { token, protocols, headers = {} } = {}) {
    const url = `ws://127.0.0.1:${host.port}/functions/v1/${name}`;
    return new Socket(url, protocols ?? [], {
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
    });
}
