/* usage: node hello_node.mjs PORT */
import Fastify from 'fastify';

const app = Fastify();

/* With a schema of the answer fastify compiles its serializer, which is its fast way. */
const schema = { response: { 200: { type: 'object', properties: { message: { type: 'string' } } } } };
app.get('/functions/v1/hello', { schema }, async () => ({ message: 'hello' }));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
