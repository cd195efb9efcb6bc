/*
 * Counts round trips: a proxy between a host and PostgreSQL, which hears the client speak again after the server has
 * answered. What the host does for itself (its queue, its clock) comes on top, so a test takes the fewest of several calls.
 */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/* databaseUrl: a URL whose host parameter is a socket's directory or a name. Answers { url, count, stop }. */
export async function countRoundTrips(databaseUrl) {
    const url = new URL(databaseUrl.replace(/^postgresql:\/\/\//, 'postgresql://unset/'));
    const host = url.searchParams.get('host'), port = url.searchParams.get('port') ?? '5432';
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-proxy-'));
    const sockets = new Set();
    let count = 0;

    const server = net.createServer((client) => {
        const upstream = host.startsWith('/') ? net.connect(path.join(host, `.s.PGSQL.${port}`)) : net.connect(Number(port), host);
        let answered = true;
        client.on('data', (bytes) => {
            if (answered) count++;
            answered = false;
            upstream.write(bytes);
        });
        upstream.on('data', (bytes) => {
            answered = true;
            client.write(bytes);
        });
        for (const [from, to] of [[client, upstream], [upstream, client]]) {
            sockets.add(from);
            from.on('error', () => to.destroy()).on('close', () => to.destroy());
        }
    });
    await new Promise((resolve) => server.listen(path.join(directory, '.s.PGSQL.5432'), resolve));

    url.searchParams.set('host', directory);
    url.searchParams.delete('port');
    return {
        url: url.href.replace('postgresql://unset/', 'postgresql:///'),
        count: () => count,
        stop: async () => {
            for (const socket of sockets) socket.destroy();
            await new Promise((resolve) => server.close(resolve));
            fs.rmSync(directory, { recursive: true, force: true });
        },
    };
}

/* The fewest round trips that work() took in some runs; the first ones also connect and prepare. */
export async function fewestRoundTrips(proxy, work, runs = 6) {
    let fewest = Infinity;
    for (let i = 0; i < runs; i++) {
        const before = proxy.count();
        await work(i);
        fewest = Math.min(fewest, proxy.count() - before);
    }
    return fewest;
}
