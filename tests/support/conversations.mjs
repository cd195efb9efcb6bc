/*
 * Stored conversations, as tests of the chat functions look at them.
 */
import { eventually } from './host.mjs';

export class Conversations {
    constructor(suite, agentType) {
        this.suite = suite;
        this.agentType = agentType;
    }

    of(id) {
        return this.suite.database.rows('SELECT * FROM ai_agent_conversations WHERE user_id = $1 ORDER BY created_at', [
            id,
        ]);
    }

    /* The user's one conversation, once it is there. */
    async arrived(id) {
        return (
            await eventually(async () => {
                const rows = await this.of(id);
                return rows.length > 0 && rows;
            }, 'the turn to be stored')
        )[0];
    }

    async store(id, messages, { agentType = this.agentType, context = {} } = {}) {
        const row = await this.suite.database.row(
            'INSERT INTO ai_agent_conversations (user_id, agent_type, messages, context) VALUES ($1, $2, $3, $4) RETURNING id',
            [id, agentType, JSON.stringify(messages), JSON.stringify(context)],
        );
        return row.id;
    }

    leases() {
        return this.suite.database.count('edge.leases');
    }

    leasesGivenBack() {
        return eventually(async () => (await this.leases()) === 0, 'the lease to be given back');
    }
}
