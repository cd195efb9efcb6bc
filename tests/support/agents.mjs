/*
 * Chats with agents that have tools: hosts whose tools are a test plugin (tests/plugins/agent_tool.c), and what the
 * gateway's stand-in is to ask for.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { buildDirectory } from './config.mjs';

/* A directory of plugins: the build's functions, and those test plugins; removed when the process ends. */
export function pluginsWith(...names) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-plugins-'));
    const link = (from) => fs.symlinkSync(from, path.join(directory, path.basename(from)));
    const built = path.join(buildDirectory, 'functions');
    for (const file of fs.readdirSync(built).filter((name) => name.endsWith('.so'))) link(path.join(built, file));
    for (const name of names) link(path.join(buildDirectory, 'tests', 'plugins', `${name}.so`));
    process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
    return directory;
}

/* Settings of functions that stand for an agent's tools: each is agent_tool. */
export const toolSettings = (...names) =>
    Object.fromEntries(names.map((name) => [name, { plugin: 'agent_tool', auth: 'user_or_service', timeout: '20s' }]));

/* An order: the model asks for these tools, [name, arguments] each. */
export const asks = (...calls) => ({
    toolCalls: calls.map(([name, args, id]) => ({ name, arguments: args, ...(id ? { id } : {}) })),
});

/* What a text among a tool's arguments makes agent_tool do. */
export const told = (instructions) => JSON.stringify(instructions);

/* The tool messages of the last question that the gateway was asked, parsed. */
export async function toolMessages(gateway) {
    const { messages } = (await gateway.bodies()).at(-1);
    return messages
        .filter(({ role }) => role === 'tool')
        .map(({ tool_call_id: id, name, content }) => ({ id, name, content: JSON.parse(content) }));
}
