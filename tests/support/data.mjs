/*
 * A database of one's own with people in it, all of them invented.
 */
import { database as freshDatabase } from '../database/support.mjs';

/* URL with which a host logs in to a test's database. */
export function runtimeUrl(name) {
    const url = new URL(process.env.EDGE_TEST_PG_URL.replace(/^postgres(ql)?:\/\/\//, 'postgresql://unset/'));
    const host = url.searchParams.get('host') ?? url.hostname;
    const port = url.searchParams.get('port') ?? url.port;
    const parameters = new URLSearchParams({ host, user: 'edge_runtime' });
    if (port) parameters.set('port', port);
    return `postgresql:///${name}?${parameters}`;
}

/* A migrated database; rows() and row() ask it as its owner, person() adds a profile. */
export async function startDatabase() {
    const database = await freshDatabase();
    const rows = async (text, values) => (await database.owner.query(text, values)).rows;
    return {
        name: database.name,
        url: runtimeUrl(database.name),
        rows,
        row: async (text, values) => (await rows(text, values))[0],
        count: async (table, where = 'true', values = []) =>
            Number((await rows(`SELECT count(*) AS n FROM ${table} WHERE ${where}`, values))[0].n),
        person: (id, values = {}) => {
            const row = { id, email: `${id}@example.com`, full_name: `Person ${id}`, ...values };
            const names = Object.keys(row);
            return rows(
                `INSERT INTO profiles (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
                Object.values(row),
            );
        },
        stop: () => database.drop(),
    };
}
