/*
 * What jobs leave behind: a table of traces beside the queue, written by tests/plugins/job_work.c and schedule_run.c.
 */
import { database as freshDatabase } from '../database/support.mjs';
import { runtimeUrl } from './data.mjs';
import { buildDirectory } from './config.mjs';
import path from 'node:path';

/* Options of a host that serves test plugins. */
export const pluginHost = (functions, more = {}) => ({
    sandbox: false,
    functions,
    ...more,
    server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), ...more.server },
});

/* A migrated database with the table of traces; rows() asks it as its owner. */
export async function startTraces() {
    const database = await freshDatabase();
    const rows = async (text, values) => (await database.owner.query(text, values)).rows;
    await rows(`CREATE TABLE edge.traces (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        label text, caller integer, acting_user text, body jsonb,
        began_at timestamptz NOT NULL DEFAULT clock_timestamp(), ended_at timestamptz)`);
    await rows('GRANT ALL ON edge.traces TO service_role');
    return {
        url: runtimeUrl(database.name),
        rows,
        row: async (text, values) => (await rows(text, values))[0],
        count: async (text, values) => Number((await rows(`SELECT count(*) AS n FROM ${text}`, values))[0].n),
        stop: () => database.drop(),
    };
}
