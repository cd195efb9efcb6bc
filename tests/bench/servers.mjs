/*
 * The host and its peers as contenders: how each is started. Versions of the peers are pinned in peers/package-lock.json.
 */
import path from 'node:path';

import { buildDirectory, configText, root } from '../support/config.mjs';
import { ENCRYPTION_KEY, SERVICE_KEY } from '../support/host.mjs';

const peers = path.join(root, 'tests', 'bench', 'peers');
const modules = path.join(peers, 'node_modules');
const peer = (name) => path.join(peers, name);

/* The programs themselves, not their JavaScript launchers, whose process would be measured with them. */
export const deno = path.join(modules, '@deno', `linux-${process.arch}-glibc`, 'deno');
export const workerd = path.join(modules, '@cloudflare', `workerd-linux-${process.arch === 'x64' ? '64' : process.arch}`, 'bin', 'workerd');
export const edge = path.join(buildDirectory, 'edge');
export const nginx = '/usr/sbin/nginx';

export const HELLO = '/functions/v1/hello';

/*
 * The host as it is deployed: release build, one worker, its log at level info into a file. server, functions, database,
 * auth: settings of the configuration, as tests/support/config.mjs takes them; env: more of the environment; cpus: other than
 * the server's core; ready: the path that answers 200 once it is.
 */
export const startEdge = (settings = {}) => (bench) => {
    const { functions = { hello: { auth: 'public' } }, server = {}, env = {}, cpus, ready = '/_edge/live', ...more } = settings;
    const text = configText({
        sandbox: false,
        functions,
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, log_level: 'info', max_connections: 20000, ...server },
        ...more,
    });
    const config = bench.scratchFile('functions.toml', text);
    return bench.start((port) => [edge, 'serve', '--config', config, '--listen', `127.0.0.1:${port}`], {
        path: ready, cpus, env: { EDGE_SERVICE_KEY: SERVICE_KEY, EDGE_ENCRYPTION_KEY: ENCRYPTION_KEY, ...env },
    });
};

const nginxConfig = (scratch, accessLog) => (port) => `
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${scratch}/nginx.pid;
error_log stderr;
events { worker_connections 19000; }
http {
    access_log ${accessLog ? `${scratch}/access.log` : 'off'};
    client_body_temp_path ${scratch}/body;
    proxy_temp_path ${scratch}/proxy;
    fastcgi_temp_path ${scratch}/fastcgi;
    uwsgi_temp_path ${scratch}/uwsgi;
    scgi_temp_path ${scratch}/scgi;
    keepalive_requests 1000000000;
    default_type application/json;
    server {
        listen 127.0.0.1:${port} backlog=4096;
        location / { return 200 '{"message":"hello"}'; }
    }
}`;

const startNginx = (accessLog) => (bench) =>
    bench.start((port) => [nginx, '-g', 'daemon off;', '-c', bench.scratchFile('nginx.conf', nginxConfig(bench.scratch, accessLog)(port))]);

export const startLimit = (bench) => bench.start((port) => [path.join(buildDirectory, 'tests', 'bench', 'bench_limit'), port]);

/* A script of peers/ that takes its port as argument. */
export const startDeno = (script, { env = {}, path: ready = HELLO } = {}) => (bench) =>
    bench.start((port) => [deno, 'run', '--allow-all', '--no-prompt', peer(script), port], { path: ready, env });
export const startNode = (script, { env = {}, path: ready = HELLO } = {}) => (bench) =>
    bench.start((port) => [process.execPath, peer(script), port], { path: ready, env: { NODE_ENV: 'production', ...env } });

const startWorkerd = (bench) =>
    bench.start((port) => [workerd, 'serve', peer('hello_workerd.capnp'), `--socket-addr=http=127.0.0.1:${port}`], { path: HELLO });

export const OURS = 'Pulse Edge';
export const QUIET = 'Pulse Edge, no line a request';
export const LIMIT = 'bare epoll';
export const NGINX = 'nginx, no access log';
export const NGINX_LOGGING = 'nginx, access log';
export const DENO = 'Deno';
export const NODE = 'Node, fastify';
export const WORKERD = 'workerd';
export const NODE_WS = 'Node, ws';

/* Everybody who says hello over HTTP. */
export const hellos = [
    { name: LIMIT, start: startLimit },
    { name: NGINX, start: startNginx(false) },
    { name: NGINX_LOGGING, start: startNginx(true) },
    { name: OURS, start: startEdge() },
    { name: QUIET, start: startEdge({ server: { log_level: 'warn' } }) },
    { name: DENO, start: startDeno('hello_deno.mjs') },
    { name: NODE, start: startNode('hello_node.mjs') },
    { name: WORKERD, start: startWorkerd },
];
