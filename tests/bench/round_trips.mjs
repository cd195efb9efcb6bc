/*
 * Round trips to the database: a proxy on a Unix socket that counts how often a client speaks after the server did. What a
 * client sends before it hears an answer is one round trip, however many statements it is.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const SOCKET = '.s.PGSQL.5432';

/* directory: where the proxy's socket is to be, which is what clients take for the host; to: the server's. */
export async function countRoundTrips(directory, to) {
    const counter = { directory, count: 0 };
    const open = new Set();
    const server = net.createServer((client) => {
        const upstream = net.connect(path.join(to, SOCKET));
        let speaking = 'server';
        client.on('data', (data) => {
            if (speaking === 'server') counter.count++;
            speaking = 'client';
            upstream.write(data);
        });
        upstream.on('data', (data) => {
            speaking = 'server';
            client.write(data);
        });
        for (const [one, other] of [[client, upstream], [upstream, client]]) {
            open.add(one);
            one.on('error', () => {}).on('close', () => (open.delete(one), other.destroy()));
        }
    });
    await new Promise((resolve) => server.listen(path.join(directory, SOCKET), resolve));
    fs.chmodSync(path.join(directory, SOCKET), 0o777);
    counter.stop = () => {
        for (const socket of open) socket.destroy();
        return new Promise((resolve) => server.close(resolve));
    };
    return counter;
}
