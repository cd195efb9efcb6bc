/* usage: deno run --allow-net hello_deno.mjs PORT */
Deno.serve({ hostname: '127.0.0.1', port: Number(Deno.args[0]), onListen() {} }, () => Response.json({ message: 'hello' }));
