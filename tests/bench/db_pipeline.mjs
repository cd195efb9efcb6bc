/*
 * What a round trip costs: a function that sends its three queries in one pipeline, against the same three sent one
 * after the other.
 *
 *     EDGE_TEST_PG_URL='postgresql:///postgres?host=/path/to/socket&user=postgres' node tests/bench/db_pipeline.mjs
 *
 * Both run in one host, turn by turn, each call many times over, so HTTP counts for next to nothing; medians of the
 * calls are compared. A Unix socket is the least that a round trip can cost: over a network the ratio tends to three.
 */
import { startDatabase } from '../support/data.mjs';
import { call, startPluginHost } from '../sdk/plugin_host.mjs';

const rounds = Number(process.env.ROUNDS ?? 40);
const repeat = Number(process.env.REPEAT ?? 250);

const median = (times) => times.sort((left, right) => left - right)[times.length >> 1];

const database = await startDatabase();
let host;
try {
    host = await startPluginHost('db_pipeline', { database: database.url, settings: { timeout: '60s' }, server: { log_level: 'warn' } });
    const times = { true: [], false: [] };
    for (let round = 0; round < rounds; round++)
        for (const together of round % 2 ? [true, false] : [false, true]) {
            const { body } = await call(host, 'db_pipeline', { together, repeat });
            if (round >= rounds / 10) times[together].push(body.microseconds / repeat);
        }
    const [one, three] = [median(times.true), median(times.false)];
    console.log(`three queries in one round trip     ${one.toFixed(0).padStart(6)} µs`);
    console.log(`three queries in three round trips  ${three.toFixed(0).padStart(6)} µs`);
    console.log(`ratio                               ${(three / one).toFixed(2).padStart(6)}`);
} finally {
    await host?.stop();
    await database.stop();
}
