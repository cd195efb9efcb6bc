/*
 * People with a month of work behind them, for the engines.
 */

/* A person with so many actions: completed ones first, the recent ones (two days old) last, the rest ten days old. */
export async function activeAgent(suite, { total = 0, completed = 0, recent = 0, goals = 0 } = {}) {
    const id = await suite.agent();
    await suite.database.rows(
        `INSERT INTO daily_actions (user_id, title, category, due_date, status, created_at)
         SELECT $1, 'Action ' || n, 'calls', current_date, CASE WHEN n <= $3 THEN 'completed' ELSE 'pending' END,
                now() - CASE WHEN n > $2 - $4 THEN interval '48 hours' ELSE interval '240 hours' END
         FROM generate_series(1, $2::int) AS n`,
        [id, total, completed, recent],
    );
    await suite.database.rows(
        `INSERT INTO goals (user_id, title, goal_type, status)
         SELECT $1, 'Goal ' || n, 'production', 'active' FROM generate_series(1, $2::int) AS n`,
        [id, goals],
    );
    return id;
}
