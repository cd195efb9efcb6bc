/*
 * Phone numbers bought at Twilio's stand-in: who may buy, what was asked of it, what is left behind.
 */
export const NUMBER = '+15125550101';
export const OTHER = '+15125550102';

export class Numbers {
    constructor(suite) {
        this.suite = suite;
        this.twilio = suite.provider('twilio');
        this.elevenlabs = suite.provider('elevenlabs');
    }

    /* A new person who may buy; its id. */
    buyer(values = {}) {
        return this.suite.agent({ subscription_tier: 'Subscriber', ...values });
    }

    audit(user) {
        return this.suite.database.rows(
            `SELECT id, status, error_message, action_data AS data FROM ai_actions_log
             WHERE user_id = $1 AND action_type = 'purchase_phone_number' ORDER BY created_at`, [user]);
    }

    config(user) {
        return this.suite.database.row(
            `SELECT settings, eleven_labs_phone_number_id AS line, eleven_labs_agent_id AS agent FROM agent_config
             WHERE user_id = $1 AND agent_type = 'sales_agent'`, [user]);
    }

    /* Purchases that Twilio was asked for, as [number, label]. */
    async orders() {
        return (await this.twilio.requests())
            .filter(({ method }) => method === 'POST')
            .map(({ body }) => new URLSearchParams(body))
            .map((form) => [form.get('PhoneNumber'), form.get('FriendlyName')]);
    }

    /* Numbers that the account owns at Twilio's stand-in. */
    async owned() {
        const account = `${this.suite.host.url}/sandbox/twilio/2010-04-01/Accounts/test-twilio-account-sid`;
        const answer = await fetch(`${account}/IncomingPhoneNumbers.json`, {
            headers: { authorization: `Basic ${Buffer.from('test-twilio-account-sid:test-twilio-auth-token').toString('base64')}` },
        });
        return (await answer.json()).incoming_phone_numbers;
    }

    /* As if the user's purchases had been begun so much earlier. */
    age(user, seconds = 130) {
        return this.suite.database.rows(
            `UPDATE ai_actions_log SET executed_at = executed_at - make_interval(secs => $2) WHERE user_id = $1`, [user, seconds]);
    }
}
