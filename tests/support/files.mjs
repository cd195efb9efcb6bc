/*
 * Long CSV files made as they are sent, and what a host's workers have in memory meanwhile.
 */
import fs from 'node:fs';
import http from 'node:http';

/* Goals of four columns; every 1,000th has a target that is no number. */
export function* goalsFile(count, rowsAPiece = 1000) {
    yield 'title,goal_type,target_value,deadline\n';
    for (let i = 0; i < count; i += rowsAPiece) {
        let piece = '';
        for (let n = i; n < Math.min(count, i + rowsAPiece); n++)
            piece += `Goal number ${n},production,${n % 1000 === 999 ? 'many' : n},2026-0${1 + (n % 9)}-15\n`;
        yield piece;
    }
}

export const badGoals = (count) => Math.floor(count / 1000);

/* The processes of a host: its supervisor and workers. */
function processes(host) {
    const workers = fs.readFileSync(`/proc/${host.child.pid}/task/${host.child.pid}/children`, 'utf8');
    return [host.child.pid, ...workers.trim().split(/\s+/).map(Number)];
}

/* Bytes that all processes of a host have resident, mapped files included. */
export function residentBytes(host) {
    let bytes = 0;
    for (const pid of processes(host)) {
        const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
        bytes += Number(/^RssAnon:\s+(\d+) kB/m.exec(status)[1]) * 1024;
    }
    return bytes;
}

/*
 * Posts pieces of text as they are asked for, and reads the answer line by line: onLine(value, request) may destroy the
 * request. Resolves to { status, lines, text }; a connection that ends early resolves with what came.
 */
export function postLines(url, headers, pieces, onLine = () => {}) {
    return new Promise((resolve, reject) => {
        const lines = [];
        let status = null,
            rest = '';
        const end = () => resolve({ status, lines, text: rest });
        const request = http.request(url, { method: 'POST', headers, agent: false }, (answer) => {
            status = answer.statusCode;
            answer.setEncoding('utf8');
            answer.on('data', (text) => {
                rest += text;
                for (let at; (at = rest.indexOf('\n')) >= 0; rest = rest.slice(at + 1)) {
                    lines.push(JSON.parse(rest.slice(0, at)));
                    onLine(lines.at(-1), request);
                }
            });
            answer.on('end', end);
            answer.on('error', end);
        });
        request.on('error', (error) => (status === null && !request.destroyed ? reject(error) : end()));
        (async () => {
            for (const piece of pieces)
                if (!request.write(piece)) await new Promise((drained) => request.once('drain', drained));
            request.end();
        })();
    });
}
