/*
 * ElevenLabs' deliveries about calls, signed as it signs them.
 */
import { post } from './clients.mjs';
import { elevenLabsSignature } from './senders.mjs';

let conversations = 0;

export const nextConversation = () => `conv_${++conversations}`;

export class Caller {
    constructor(suite, name) {
        this.suite = suite;
        this.name = name;
        this.provider = name === 'elevenLabsWebhook' ? 'elevenlabs' : 'elevenlabs_roleplay';
    }

    /* body: an object, or text or bytes as they are. */
    send(body, { headers = {}, host = this.suite.host, ...signing } = {}) {
        const raw = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
        return post(host, this.name, { raw, headers: { 'elevenlabs-signature': elevenLabsSignature(raw, signing), ...headers } });
    }

    /* The real service's report of a call that has ended. */
    ended(conversation_id, { seconds = 61, metadata = {}, ...data } = {}) {
        return {
            type: 'post_call_transcription',
            event_timestamp: 1773144000,
            data: {
                conversation_id,
                status: 'done',
                transcript: [{ role: 'agent', message: 'Hello' }],
                metadata: { call_duration_secs: seconds, ...metadata },
                ...data,
            },
        };
    }

    recorded(id) {
        return this.suite.database.count('edge.webhook_events', 'provider = $1 AND ($2::text IS NULL OR event_id = $2)', [this.provider, id ?? null]);
    }
}
