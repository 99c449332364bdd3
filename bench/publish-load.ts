// Load generator: one publisher, many subscribers of one channel.
//
//   bun bench/publish-load.ts --port 6379 --subscribers 100 --messages 50000 --pipeline 16
//
// Publishes a pipeline at a time and the next one when it is answered, and pauses while subscribers
// lag behind, so that the server's output buffers stay small. Ends when every subscriber has every
// message; prints one line of JSON. All messages have the same size, so that subscribers only count
// bytes: this program is not to be slower than the server.

import { parseArgs } from "node:util";

export interface PublishLoadReport {
  delivered: number;
}

const CHANNEL = "channel";
const MESSAGE = "m".repeat(32);
/** Messages that may be under way. */
const LAG_MAX = 64 * 1024;
/** Connections that are opened at a time. */
const OPENING_MAX = 64;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "6379" },
    subscribers: { type: "string", default: "100" },
    messages: { type: "string", default: "50000" },
    pipeline: { type: "string", default: "16" },
  },
});
const port = Number(values.port);
const subscribers = Number(values.subscribers);
const pipeline = Number(values.pipeline);
const messages = Math.ceil(Number(values.messages) / pipeline) * pipeline;

const delivery = encode(["message", CHANNEL, MESSAGE]);
const confirmation = `${encode(["subscribe", CHANNEL]).replace("*2", "*3")}:1\r\n`;
const batch = Buffer.from(encode(["PUBLISH", CHANNEL, MESSAGE]).repeat(pipeline));
const answerBytes = `:${subscribers}\r\n`.length * pipeline;

const done = Promise.withResolvers<void>();
const expectedBytes = subscribers * messages * delivery.length;
let receivedBytes = 0;
let published = 0;
let unanswered = 0;

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((w) => `$${w.length}\r\n${w}\r\n`).join("")}`;
}

const lost = {
  close: () => done.reject(new Error("the server closed a connection")),
  error: (_: unknown, error: Error) => done.reject(error),
};

async function subscribe(): Promise<void> {
  const confirmed = Promise.withResolvers<void>();
  let missing = confirmation.length;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        if (missing > 0) {
          missing -= bytes.length;
          if (missing === 0) confirmed.resolve();
          return;
        }
        receivedBytes += bytes.length;
        if (receivedBytes === expectedBytes) done.resolve();
        else publish();
      },
      ...lost,
    },
  });
  socket.write(encode(["SUBSCRIBE", CHANNEL]));
  await confirmed.promise;
}

function publish(): void {
  if (unanswered > 0 || published === messages) return;
  if (published * subscribers - receivedBytes / delivery.length > LAG_MAX) return;
  unanswered = answerBytes;
  published += pipeline;
  publisher.write(batch);
}

for (let opened = 0; opened < subscribers; opened += OPENING_MAX) {
  const count = Math.min(OPENING_MAX, subscribers - opened);
  await Promise.all(Array.from({ length: count }, subscribe));
}
const publisher = await Bun.connect({
  hostname: "127.0.0.1",
  port,
  socket: {
    data(_, bytes) {
      if (bytes[0] === 0x2d) done.reject(new Error(bytes.toString()));
      unanswered -= bytes.length;
      publish();
    },
    ...lost,
  },
});
publish();
await done.promise;
const report: PublishLoadReport = { delivered: subscribers * messages };
console.log(JSON.stringify(report));
process.exit(0);
