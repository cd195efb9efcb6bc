/*
 * A functions.toml for one test host: the functions' own sections come from the repository's file, so that tests run
 * with the auth modes, limits and variables that are deployed. Rate limits are left out unless a test sets one.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const buildDirectory = path.resolve(root, process.env.EDGE_BUILD ?? 'build');

const deployed = fs.readFileSync(path.join(root, 'functions.toml'), 'utf8');

const names = (pattern) => [...deployed.matchAll(pattern)].map(([, name]) => name);

/* Stand-ins for providers, served by every test host. */
const standIns = names(/^\[functions\.(sandbox_\w+)\]$/gm);

/* Providers with settings of their own. */
const settled = names(/^\[providers\.(\w+)\]$/gm);

/* The settings of one section of the deployed file: lines of key = value, as text. */
function deployedSettings(section) {
    const lines = deployed.split('\n');
    const start = lines.indexOf(`[${section}]`);
    const settings = {};
    for (let i = start + 1; start >= 0 && i < lines.length && !lines[i].startsWith('['); i++) {
        const match = /^(\w+)\s*=\s*(.*?)\s*(?:#.*)?$/.exec(lines[i]);
        if (match) settings[match[1]] = match[2];
    }
    return settings;
}

const toml = (value) => (Array.isArray(value) ? `[${value.map(toml).join(', ')}]` : JSON.stringify(value));

function section(name, settings) {
    const lines = Object.entries(settings).filter(([, value]) => value !== null);
    return `[${name}]\n${lines.map(([key, value]) => `${key} = ${value}`).join('\n')}\n`;
}

const asToml = (settings) =>
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, value === null ? null : toml(value)]));

function functionSection(name, overrides) {
    const settings = { ...deployedSettings(`functions.${name}`) };
    delete settings.rate_limit;
    return section(`functions.${name}`, { ...settings, ...asToml(overrides) });
}

/*
 * functions: names, or { name: overrides }. providers, server, database, auth: settings of those sections. A value of
 * null leaves a setting out. sandbox: false leaves the stand-ins out, for hosts of test plugins.
 */
export function configText({ functions, providers = {}, server = {}, database = {}, auth = {}, sandbox = true }) {
    const wanted = Array.isArray(functions) ? Object.fromEntries(functions.map((name) => [name, {}])) : functions;
    const all = { ...Object.fromEntries((sandbox ? standIns : []).map((name) => [name, {}])), ...wanted };
    return [
        section(
            'server',
            asToml({
                workers: 2,
                plugins: path.join(buildDirectory, 'functions'),
                log_format: 'json',
                log_level: 'debug',
                ...server,
            }),
        ),
        section('database', asToml({ pool: 4, ...database })),
        section('auth', asToml(auth)),
        ...Object.entries({ ...Object.fromEntries(settled.map((name) => [name, {}])), ...providers }).map(([name, settings]) =>
            section(`providers.${name}`, { ...deployedSettings(`providers.${name}`), ...asToml(settings) }),
        ),
        ...Object.entries(all).map(([name, overrides]) => functionSection(name, overrides)),
    ].join('\n');
}
