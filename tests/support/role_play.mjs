/*
 * People with credits, phones and scenarios for tests of role-play calls.
 */
export class Stage {
    constructor(suite) {
        this.suite = suite;
    }

    async scenario(values = {}) {
        const row = {
            name: 'Price objection',
            category: 'listing',
            difficulty_level: 'hard',
            initial_context: 'A seller wants more than the market gives',
            client_persona: 'Doubtful seller',
            eleven_labs_phone_number_id: 'pn_1',
            eleven_labs_agent_id: 'ag_1',
            ...values,
        };
        const names = Object.keys(row);
        const [{ id }] = await this.suite.database.rows(
            `INSERT INTO role_play_scenarios (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
            Object.values(row),
        );
        return id;
    }

    /* A person with a phone; credits: available, undefined for no row. */
    async trainee({ credits, ...values } = {}) {
        const id = await this.suite.agent({ phone: '(512) 555-0101', ...values });
        if (credits !== undefined)
            await this.suite.database.rows('INSERT INTO user_credits (user_id, credits_available, credits_used) VALUES ($1, $2, 0)', [id, credits]);
        return id;
    }

    session(id) {
        return this.suite.database.row('SELECT * FROM role_play_session_logs WHERE id = $1', [id]);
    }

    sessions(user) {
        return this.suite.database.rows('SELECT * FROM role_play_session_logs WHERE user_id = $1 ORDER BY created_at', [user]);
    }

    credits(user) {
        return this.suite.database.row('SELECT credits_available AS available, credits_used AS used FROM user_credits WHERE user_id = $1', [user]);
    }

    ledger(user) {
        return this.suite.database.rows('SELECT transaction_type AS type, amount, balance_after, metadata FROM credit_transactions WHERE user_id = $1 ORDER BY created_at', [user]);
    }
}
