// Two upstreams that none of us wrote: aimock speaks OpenAI's, Anthropic's and Gemini's dialects, mock-llm OpenAI's. Prints their addresses and
// runs until its input ends.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { LLMock } from "@copilotkit/aimock";

const freePort = () => new Promise((resolve) => { const server = createServer().listen(0, "127.0.0.1", () => { const { port } = server.address(); server.close(() => resolve(port)); }); });

const mock = new LLMock({ port: 0 });
mock.on({ hasToolResult: true }, { content: "It is sunny in Lisbon." });
mock.onMessage(/weather/, { toolCalls: [{ name: "get_weather", arguments: '{"city":"Lisbon"}' }] });
mock.onMessage(/two calls/, { toolCalls: [{ name: "get_weather", arguments: '{"city":"Lisbon"}' }, { name: "get_weather", arguments: '{"city":"Porto"}' }] });
mock.onMessage(/as json/, { content: '{"city":"Lisbon","degrees":21}' });
mock.onMessage(/picture/, { content: "I see a picture." });
mock.onMessage(/limit me/, { error: { message: "slow down", type: "rate_limit_error" }, status: 429 });
mock.onMessage(/too long/, { error: { message: "This model's maximum context length is 10 tokens.", type: "invalid_request_error", code: "context_length_exceeded" }, status: 400 });
mock.onMessage(/hello/, { content: "Hi there, how are you today?" });
await mock.start();

const port = await freePort();
const other = spawn(process.execPath, ["node_modules/@dwmkerr/mock-llm/dist/main.js"], { env: { ...process.env, PORT: String(port) }, stdio: "ignore" });
for (let tries = 0; ; tries++) {
  try {
    await fetch(`http://127.0.0.1:${port}/health`);
    break;
  } catch (notYet) {
    if (tries > 200) throw notYet;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
console.log(JSON.stringify({ aimock: mock.url, mockllm: `http://127.0.0.1:${port}` }));

process.stdin.resume();
process.stdin.on("end", async () => {
  other.kill();
  await mock.stop();
  process.exit(0);
});
