/*
 * Echo at /echo, a JSON answer at /hello; 200 to an ordinary request.
 *
 * usage: deno run --allow-net websocket.mjs PORT | node websocket.mjs PORT
 */
const answer = (text) => JSON.stringify({ event: 'final', status: 200, data: { message: JSON.parse(text).text } });

function serveDeno(port) {
    Deno.serve({ hostname: '127.0.0.1', port, onListen() {} }, (request) => {
        if (request.headers.get('upgrade') !== 'websocket') return new Response('ready');
        const { socket, response } = Deno.upgradeWebSocket(request);
        const echoes = new URL(request.url).pathname === '/echo';
        socket.onmessage = ({ data }) => socket.send(echoes ? data : answer(data));
        return response;
    });
}

async function serveNode(port) {
    const { createServer } = await import('node:http');
    const { WebSocketServer } = await import('ws');
    const server = createServer((_, response) => response.end('ready'));
    new WebSocketServer({ server }).on('connection', (socket, { url }) => {
        const echoes = url === '/echo';
        socket.on('message', (data) => socket.send(echoes ? data.toString() : answer(data.toString())));
    });
    server.listen(port, '127.0.0.1');
}

if (globalThis.Deno) serveDeno(Number(Deno.args[0]));
else await serveNode(Number(process.argv[2]));
