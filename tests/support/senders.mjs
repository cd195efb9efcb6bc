/*
 * Headers of signed events as the senders make them (spec events.md S3.2 to S3.4), and the specification's vectors. Clerk's
 * are deliveries.mjs, by the svix library.
 */
import crypto from 'node:crypto';

const hmac = (secret, ...parts) => {
    const mac = crypto.createHmac('sha256', secret);
    for (const part of parts) mac.update(part);
    return mac;
};

export const ELEVENLABS = {
    secret: 'wsec_pulse_edge_vector',
    at: 1773144000,
    body: '{"type":"post_call_transcription","event_timestamp":1773144000,"data":{"conversation_id":"conv_vec_1","status":"done","transcript":[],"metadata":{"call_duration_secs":61}}}',
    header: 't=1773144000,v0=2d115231a58b5eec3f7a3c5fe51638f8c96a66b81ce1c7ac34a34064f965da20',
};

export const SHOPIFY = {
    secret: 'shpss_pulse_edge_vector',
    body: '{"id":820982911946154508,"financial_status":"paid","customer":{"email":"vera@example.com"},"line_items":[{"sku":"PULSE-PRO"}]}',
    header: 'bdoELl5uW8zwNG9q241L31hysu0TjrUMwkyHPuSQsR0=',
};

/* The private key's seed is the bytes 00 to 1f; PKCS #8 puts these before an Ed25519 seed. */
const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from([...Array(32).keys()])]);

export const GOHIGHLEVEL = {
    secret: 'ghl-shared-secret-1',
    publicKey: 'MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=',
    privateKey: crypto.createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' }),
    body: '{"contact_email":"vera@example.com","order_id":"ord_vec_1","plan_type":"Professional","webhookId":"wh_vec_1"}',
    header: 'VQYPLnQzCu+tRHjc/+Ccklm9kAQz9B2CSTS7KUQcqy7cuZJ5PssUQJFoY3eHSpnM2qbei2j3HDrcqTyO0K4+CA==',
};

export const elevenLabsSignature = (body, { at = Math.floor(Date.now() / 1000), secret = ELEVENLABS.secret } = {}) =>
    `t=${at},v0=${hmac(secret, `${at}.`, body).digest('hex')}`;

export const shopifySignature = (body, secret = SHOPIFY.secret) => hmac(secret, body).digest('base64');

/* Of a marketplace app's event. */
export const goHighLevelSignature = (body, key = GOHIGHLEVEL.privateKey) =>
    crypto.sign(null, Buffer.from(body), key).toString('base64');
