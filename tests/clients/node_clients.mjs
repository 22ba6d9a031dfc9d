// The published clients of npm against the daemon at HEARTH_URL; node_clients_test.py starts both.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

// The packages are not beside this file but where they were installed.
const installed = createRequire(process.env.HEARTH_NODE_MODULES);
const load = (name) => import(pathToFileURL(installed.resolve(name)).href);
const { default: OpenAI } = await load("openai");
const { Ollama } = await load("ollama");

const base = process.env.HEARTH_URL;
const said = "llama says five words here";
const vector = [0.5, -0.25, 0.125];
const messages = [{ role: "user", content: "hello" }];
const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: "none", timeout: 30_000 });
const ollama = new Ollama({ host: base });

// A stream that stops after its first piece until it is let go: who lets it go only on seeing that
// piece, and then gets the others, has shown that pieces come as they are made.
async function held(begin, textOf) {
  const text = randomUUID();
  const pieces = [];
  for await (const item of await begin({ hold: text })) {
    const piece = textOf(item);
    if (!piece) continue;
    pieces.push(piece);
    if (pieces.length > 1) continue;
    assert.equal((await fetch(`${base}/upstream/llama/go/${text}`)).status, 200);
  }
  return pieces;
}

test("openai: models are listed", async () => {
  const listed = [];
  for await (const model of openai.models.list()) listed.push(model.id);
  assert.deepEqual(listed, ["llama", "meta/llama:8b"]);
  assert.equal((await openai.models.retrieve("meta/llama:8b")).id, "meta/llama:8b");
});

test("openai: a chat, whole", async () => {
  const { data, response } = await openai.chat.completions
    .create({ model: "meta/llama:8b", messages })
    .withResponse();
  assert.equal(data.choices[0].message.content, said);
  assert.equal(response.headers.get("x-hearth-component"), "llama");
});

test("openai: a streamed chat comes as it is made", async () => {
  const pieces = await held(
    (wish) => openai.chat.completions.create({ model: "llama", messages, stream: true, ...wish }),
    (chunk) => chunk.choices[0].delta.content,
  );
  assert.equal(pieces.length, 5);
  assert.equal(pieces.join(""), said);
});

test("openai: embeddings", async () => {
  const answer = await openai.embeddings.create({ model: "llama", input: ["one", "two"] });
  assert.deepEqual(answer.data.map((row) => Array.from(row.embedding)), [vector, vector]);
});

test("openai: an unknown model is its own error", async () => {
  for (const stream of [false, true]) {
    const asked = openai.chat.completions.create({ model: "lama", messages, stream });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, "model_not_found");
      assert.match(error.message, /did you mean `llama`\?/);
      return true;
    });
  }
});

test("ollama: models are listed", async () => {
  const { models } = await ollama.list();
  assert.ok(models.some((model) => model.model === "llama"));
});

test("ollama: chat and generate, whole", async () => {
  assert.equal((await ollama.chat({ model: "llama", messages })).message.content, said);
  assert.equal((await ollama.generate({ model: "llama", prompt: "hello" })).response, said);
});

test("ollama: a streamed chat comes as it is made", async () => {
  const pieces = await held(
    (wish) => ollama.chat({ model: "llama", messages, stream: true, options: wish }),
    (piece) => piece.message.content,
  );
  assert.equal(pieces.length, 5);
  assert.equal(pieces.join(""), said);
});

test("ollama: a streamed generate comes as it is made", async () => {
  const pieces = await held(
    (wish) => ollama.generate({ model: "llama", prompt: "hello", stream: true, options: wish }),
    (piece) => piece.response,
  );
  assert.equal(pieces.join(""), said);
});

test("ollama: embeddings", async () => {
  const { embeddings } = await ollama.embed({ model: "llama", input: ["one", "two"] });
  assert.deepEqual(embeddings, [vector, vector]);
});

test("ollama: an unknown model is its own error", async () => {
  for (const stream of [false, true]) {
    await assert.rejects(ollama.chat({ model: "lama", messages, stream }), (error) => {
      assert.equal(error.name, "ResponseError");
      assert.equal(error.status_code, 404);
      assert.match(error.message, /did you mean `llama`\?/);
      return true;
    });
  }
});
