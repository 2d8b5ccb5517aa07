// The official clients through the gateway: node clients.mjs <address> <key>. One line of JSON for each check.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { generateText, streamText, tool } from "ai";
import assert from "node:assert/strict";
import { File } from "node:buffer";
import OpenAI from "openai";
import { z } from "zod";

const [address, key] = process.argv.slice(2);
const openai = new OpenAI({ baseURL: `${address}/v1`, apiKey: key, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: address, apiKey: key, maxRetries: 0 });
const sdkOpenai = createOpenAI({ baseURL: `${address}/v1`, apiKey: key });
const sdkAnthropic = createAnthropic({ baseURL: `${address}/v1`, apiKey: key });

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
const schema = { type: "object", properties: { city: { type: "string" }, degrees: { type: "number" } }, required: ["city", "degrees"], additionalProperties: false };
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const hi = "Hi there, how are you today?";

async function check(name, run) {
  try {
    await run();
    console.log(JSON.stringify({ name, ok: true }));
  } catch (failure) {
    console.log(JSON.stringify({ name, ok: false, detail: String(failure?.stack ?? failure).slice(0, 1500) }));
  }
}

async function chats(model) {
  const tools = [{ type: "function", function: { name: "get_weather", description: "The weather", parameters } }];
  await check(`openai chat: ${model}`, async () => {
    const answer = await openai.chat.completions.create({ model, temperature: 0.5, max_tokens: 99, messages: [{ role: "system", content: "be kind" }, { role: "user", content: "hello" }] });
    assert.equal(answer.choices[0].message.content, hi);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.object, "chat.completion");
  });
  await check(`openai chat stream: ${model}`, async () => {
    const stream = await openai.chat.completions.create({ model, stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: "hello" }] });
    let text = "", reason, usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      reason ??= chunk.choices[0]?.finish_reason;
      usage ??= chunk.usage;
    }
    assert.equal(text, hi);
    assert.equal(reason, "stop");
    assert.equal(typeof usage.total_tokens, "number");
  });
  await check(`openai chat tools: ${model}`, async () => {
    const messages = [{ role: "user", content: "what is the weather" }];
    const first = await openai.chat.completions.create({ model, tools, tool_choice: "auto", messages });
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    const [call] = first.choices[0].message.tool_calls;
    assert.equal(call.function.name, "get_weather");
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "Lisbon" });
    const second = await openai.chat.completions.create({ model, tools, messages: [...messages, first.choices[0].message, { role: "tool", tool_call_id: call.id, content: "sunny" }] });
    assert.equal(second.choices[0].message.content, "It is sunny in Lisbon.");
  });
  await check(`openai chat two tool calls, streamed: ${model}`, async () => {
    const final = await openai.chat.completions.stream({ model, tools, messages: [{ role: "user", content: "two calls" }] }).finalChatCompletion();
    assert.deepEqual(final.choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments).city), ["Lisbon", "Porto"]);
    assert.equal(final.choices[0].finish_reason, "tool_calls");
  });
  await check(`openai chat image: ${model}`, async () => {
    const answer = await openai.chat.completions.create({ model, messages: [{ role: "user", content: [{ type: "text", text: "what is in this picture" }, { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } }] }] });
    assert.equal(answer.choices[0].message.content, "I see a picture.");
  });
  await check(`openai structured output: ${model}`, async () => {
    const answer = await openai.chat.completions.parse({ model, messages: [{ role: "user", content: "as json" }], response_format: { type: "json_schema", json_schema: { name: "weather", strict: true, schema } } });
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { city: "Lisbon", degrees: 21 });
  });
  await check(`openai limit: ${model}`, async () => {
    await assert.rejects(openai.chat.completions.create({ model, messages: [{ role: "user", content: "limit me" }] }), (error) => error instanceof OpenAI.RateLimitError && /slow down/.test(error.message));
  });
  await check(`openai too long: ${model}`, async () => {
    await assert.rejects(openai.chat.completions.create({ model, messages: [{ role: "user", content: "too long" }] }), (error) => error instanceof OpenAI.BadRequestError && error.code === "context_length_exceeded");
  });
}

async function responses(model) {
  await check(`openai responses: ${model}`, async () => {
    const answer = await openai.responses.create({ model, instructions: "be kind", input: "hello" });
    assert.equal(answer.output_text, hi);
    assert.equal(answer.status, "completed");
  });
  await check(`openai responses stream: ${model}`, async () => {
    const stream = openai.responses.stream({ model, input: "hello" });
    let text = "";
    stream.on("response.output_text.delta", (event) => { text += event.delta; });
    const final = await stream.finalResponse();
    assert.equal(text, hi);
    assert.equal(final.output_text, hi);
  });
  await check(`openai responses tools: ${model}`, async () => {
    const tools = [{ type: "function", name: "get_weather", description: "The weather", parameters, strict: false }];
    const input = [{ role: "user", content: "what is the weather" }];
    const first = await openai.responses.create({ model, tools, input, store: false });
    const call = first.output.find((item) => item.type === "function_call");
    assert.deepEqual(JSON.parse(call.arguments), { city: "Lisbon" });
    const second = await openai.responses.create({ model, tools, store: false, input: [...input, call, { type: "function_call_output", call_id: call.call_id, output: "sunny" }] });
    assert.equal(second.output_text, "It is sunny in Lisbon.");
  });
  await check(`openai responses structured: ${model}`, async () => {
    const answer = await openai.responses.create({ model, input: "as json", text: { format: { type: "json_schema", name: "weather", strict: true, schema } } });
    assert.deepEqual(JSON.parse(answer.output_text), { city: "Lisbon", degrees: 21 });
  });
}

async function messages(model) {
  const tools = [{ name: "get_weather", description: "The weather", input_schema: parameters }];
  const user = (content) => [{ role: "user", content }];
  await check(`anthropic messages: ${model}`, async () => {
    const answer = await anthropic.messages.create({ model, max_tokens: 99, system: "be kind", messages: user("hello") });
    assert.equal(answer.content[0].text, hi);
    assert.equal(answer.stop_reason, "end_turn");
    assert.equal(typeof answer.usage.input_tokens, "number");
  });
  await check(`anthropic messages stream: ${model}`, async () => {
    const stream = anthropic.messages.stream({ model, max_tokens: 99, messages: user("hello") });
    let text = "";
    stream.on("text", (piece) => { text += piece; });
    const final = await stream.finalMessage();
    assert.equal(text, hi);
    assert.equal(final.content[0].text, hi);
    assert.equal(final.stop_reason, "end_turn");
  });
  await check(`anthropic tools: ${model}`, async () => {
    const first = await anthropic.messages.create({ model, max_tokens: 99, tools, tool_choice: { type: "auto" }, messages: user("what is the weather") });
    assert.equal(first.stop_reason, "tool_use");
    const call = first.content.find((block) => block.type === "tool_use");
    assert.deepEqual(call.input, { city: "Lisbon" });
    const second = await anthropic.messages.create({
      model, max_tokens: 99, tools,
      messages: [...user("what is the weather"), { role: "assistant", content: first.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "sunny" }] }],
    });
    assert.equal(second.content[0].text, "It is sunny in Lisbon.");
  });
  await check(`anthropic two tool calls, streamed: ${model}`, async () => {
    const final = await anthropic.messages.stream({ model, max_tokens: 99, tools, messages: user("two calls") }).finalMessage();
    assert.deepEqual(final.content.filter((block) => block.type === "tool_use").map((block) => block.input.city), ["Lisbon", "Porto"]);
    assert.equal(final.stop_reason, "tool_use");
  });
  await check(`anthropic image: ${model}`, async () => {
    const answer = await anthropic.messages.create({ model, max_tokens: 99, messages: user([{ type: "image", source: { type: "base64", media_type: "image/png", data: pixel } }, { type: "text", text: "what is in this picture" }]) });
    assert.equal(answer.content[0].text, "I see a picture.");
  });
  await check(`anthropic structured output: ${model}`, async () => {
    const answer = await anthropic.messages.create({ model, max_tokens: 99, messages: user("as json"), output_config: { format: { type: "json_schema", schema } } });
    assert.deepEqual(JSON.parse(answer.content[0].text), { city: "Lisbon", degrees: 21 });
  });
  await check(`anthropic count_tokens: ${model}`, async () => {
    assert.ok((await anthropic.messages.countTokens({ model, messages: user("hello") })).input_tokens >= 0);
  });
  await check(`anthropic limit: ${model}`, async () => {
    await assert.rejects(anthropic.messages.create({ model, max_tokens: 9, messages: user("limit me") }), (error) => error instanceof Anthropic.RateLimitError && /slow down/.test(error.message));
  });
}

async function vercel(model) {
  const tools = { get_weather: tool({ description: "The weather", inputSchema: z.object({ city: z.string() }), execute: async () => "sunny" }) };
  for (const [name, provider] of [["chat", sdkOpenai.chat(model)], ["responses", sdkOpenai.responses(model)], ["messages", sdkAnthropic(model)]]) {
    await check(`ai generateText ${name}: ${model}`, async () => assert.equal((await generateText({ model: provider, prompt: "hello", maxRetries: 0 })).text, hi));
    await check(`ai streamText ${name}: ${model}`, async () => {
      let text = "";
      const result = streamText({ model: provider, prompt: "hello", maxRetries: 0 });
      for await (const piece of result.textStream) text += piece;
      assert.equal(text, hi);
    });
    await check(`ai tools ${name}: ${model}`, async () => {
      const result = await generateText({ model: provider, tools, prompt: "what is the weather", maxRetries: 0, stopWhen: ({ steps }) => steps.length === 2 });
      assert.equal(result.text, "It is sunny in Lisbon.");
    });
  }
}

for (const model of ["oai/gpt-4o", "ant/claude-sonnet-4-5", "gem/gemini-2.5-flash"]) {
  await chats(model);
  await responses(model);
  await messages(model);
  await vercel(model);
}

await check("mock-llm chat", async () => {
  const answer = await openai.chat.completions.create({ model: "other/gpt-5.2", messages: [{ role: "user", content: "say it back" }] });
  assert.equal(answer.choices[0].message.content, "say it back");
});
await check("mock-llm chat stream", async () => {
  const stream = await openai.chat.completions.create({ model: "other/gpt-5.2", stream: true, messages: [{ role: "user", content: "say it back" }] });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  assert.equal(text, "say it back");
});
await check("mock-llm by an anthropic client", async () => {
  const answer = await anthropic.messages.create({ model: "other/gpt-5.2", max_tokens: 99, messages: [{ role: "user", content: "say it back" }] });
  assert.equal(answer.content[0].text, "say it back");
});
await check("openai models", async () => {
  const ids = [];
  for await (const model of openai.models.list()) ids.push(model.id);
  for (const id of ["galaxy/echo", "auto", "other/gpt-5.2"]) assert.ok(ids.includes(id), `${id} in ${ids.slice(0, 20)}`);
  assert.equal((await openai.models.retrieve("galaxy/echo")).owned_by, "galaxy");
});
await check("anthropic models", async () => {
  const ids = [];
  for await (const model of anthropic.models.list()) ids.push(model.id);
  assert.ok(ids.includes("galaxy/echo"));
});
for (const model of ["oai/text-embedding-3-small", "gem/gemini-embedding-001", "galaxy/echo"]) {
  await check(`openai embeddings: ${model}`, async () => {
    // This Gemini knows no batches.
    const input = model.startsWith("gem/") ? ["hello"] : ["hello", "world"];
    const answer = await openai.embeddings.create({ model, input });
    assert.equal(answer.data.length, input.length);
    assert.ok(answer.data[0].embedding.length > 10 && answer.data[0].embedding.every((number) => typeof number === "number" && Number.isFinite(number)));
  });
}
await check("openai images, moderations, speech: oai", async () => {
  assert.ok((await openai.moderations.create({ model: "oai/omni-moderation-latest", input: "hello" })).results.length > 0);
  const sound = await openai.audio.speech.create({ model: "galaxy/echo", voice: "alloy", input: "one two three" });
  assert.equal(Buffer.from(await sound.arrayBuffer()).subarray(0, 4).toString(), "RIFF");
  const text = await openai.audio.transcriptions.create({ model: "galaxy/echo", file: new File([Buffer.alloc(2000)], "sound.wav") });
  assert.match(text.text, /galaxy\/echo/);
  assert.ok((await openai.images.generate({ model: "galaxy/echo", prompt: "grey" })).data[0].b64_json.length > 0);
});
await check("openai unknown model", () => assert.rejects(openai.chat.completions.create({ model: "no/such", messages: [{ role: "user", content: "x" }] }), (error) => error instanceof OpenAI.NotFoundError && error.param === "model"));
await check("anthropic unknown model", () => assert.rejects(anthropic.messages.create({ model: "no/such", max_tokens: 9, messages: [{ role: "user", content: "x" }] }), (error) => error instanceof Anthropic.NotFoundError && error.error.error.type === "not_found_error"));
await check("openai wrong key", () => assert.rejects(new OpenAI({ baseURL: `${address}/v1`, apiKey: "wrong", maxRetries: 0 }).models.list(), (error) => error instanceof OpenAI.AuthenticationError));
await check("anthropic wrong key", () => assert.rejects(new Anthropic({ baseURL: address, apiKey: "wrong", maxRetries: 0 }).messages.create({ model: "galaxy/echo", max_tokens: 9, messages: [{ role: "user", content: "x" }] }), (error) => error instanceof Anthropic.AuthenticationError));
await check("echo: tools and structured output without a key of anybody", async () => {
  const called = await openai.chat.completions.create({ model: "galaxy/echo", tool_choice: "required", tools: [{ type: "function", function: { name: "get_weather", parameters } }], messages: [{ role: "user", content: "Lisbon" }] });
  assert.deepEqual(JSON.parse(called.choices[0].message.tool_calls[0].function.arguments), { city: "Lisbon" });
  const shaped = await openai.chat.completions.create({ model: "galaxy/echo", response_format: { type: "json_schema", json_schema: { name: "w", strict: true, schema } }, messages: [{ role: "user", content: "Lisbon" }] });
  assert.equal(JSON.parse(shaped.choices[0].message.content).city, "Lisbon");
});
