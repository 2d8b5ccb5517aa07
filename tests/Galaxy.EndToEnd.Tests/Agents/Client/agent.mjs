// An agent that drives a Galaxy cluster with the official client. Tells what it sees as lines of JSON; goes on when it reads a line.
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

const [url, key] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = (what, data) => console.log(JSON.stringify({ what, ...data }));

const client = new Client({ name: 'galaxy-test-agent', version: '1.0.0' });
const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } });
client.setNotificationHandler(ToolListChangedNotificationSchema, async () => {
  const { tools } = await client.listTools();
  tell('changed', { tools: tools.map((tool) => tool.name) });
});

await client.connect(transport);
tell('connected', { server: client.getServerVersion(), instructions: client.getInstructions(), listChanged: client.getServerCapabilities()?.tools?.listChanged });

const { tools } = await client.listTools();
tell('tools', { tools });

const progress = [];
const slept = await client.callTool({ name: 'sleep', arguments: { seconds: 1 } }, undefined, { onprogress: (update) => progress.push(update.progress) });
tell('slept', { result: slept, progress });

const chosen = await client.callTool({ name: 'echo', arguments: { text: 'to the second', galaxy_target: 'worker-2' } });
tell('echoed', { result: chosen });

const asked = await client.callTool({ name: 'llm_chat', arguments: { model: 'galaxy/echo', messages: [{ role: 'user', content: 'hello from an agent' }] } });
tell('asked', { result: asked });

const failed = await client.callTool({ name: 'http_request', arguments: { url: 'http://127.0.0.1:9/' } });
tell('failed', { result: failed });

const unknown = await client.callTool({ name: 'no_such_tool', arguments: {} }).then((result) => ({ result }), (error) => ({ code: error.code, message: error.message }));
tell('unknown', unknown);

const leaving = new AbortController();
const cancelled = client.callTool({ name: 'sleep', arguments: { seconds: 600 } }, undefined, { signal: leaving.signal }).catch((error) => error.message);
tell('sleeping', {});
await lines.next();
leaving.abort('the person changed her mind');
tell('cancelled', { message: await cancelled });

await lines.next();
await client.close();
tell('closed', {});
process.exit(0);
