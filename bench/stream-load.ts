// Load generator: consumers of one group, each of which reads entries of a stream and acknowledges
// them, with redis-benchmark's number of requests in flight taken over by COUNT.
//
//   bun bench/stream-load.ts --port 6379 --consumers 4 --entries 200000 --count 16
//
// Reads what is in the stream and not yet delivered, until `entries` are acknowledged. Prints one
// line of JSON: how many were.

import { parseArgs } from "node:util";
import { ReplyReader, type Reply } from "../src/protocol/reply-reader.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "6379" },
    consumers: { type: "string", default: "4" },
    entries: { type: "string", default: "200000" },
    count: { type: "string", default: "16" },
  },
});
const wanted = Number(values.entries);
let acknowledged = 0;

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((w) => `$${w.length}\r\n${w}\r\n`).join("")}`;
}

/** The IDs in the reply of XREADGROUP; none at the end of the stream. */
function idsOf(reply: Reply): string[] {
  if (reply.type === "error") throw new Error(reply.text);
  if (reply.type !== "array") return [];
  const stream = reply.items[0];
  if (stream.type !== "array" || stream.items[1].type !== "array") return [];
  return stream.items[1].items.map((entry) => {
    const id = entry.type === "array" ? entry.items[0] : entry;
    if (id.type !== "bulk") throw new Error("an entry without an ID");
    return id.text;
  });
}

async function consume(name: string): Promise<void> {
  const reader = new ReplyReader();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const read = encode([
    "XREADGROUP",
    "GROUP",
    "group",
    name,
    "COUNT",
    values.count,
    "STREAMS",
    "stream",
    ">",
  ]);
  // Replies to XACK and to the XREADGROUP sent with it come in turn.
  let isRead = true;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: Number(values.port),
    socket: {
      data(connection, bytes) {
        reader.push(bytes);
        for (let reply = reader.next(); reply !== null; reply = reader.next()) {
          if (!isRead) {
            isRead = true;
            continue;
          }
          const ids = idsOf(reply);
          acknowledged += ids.length;
          if (ids.length === 0 || acknowledged >= wanted) return resolve();
          isRead = false;
          connection.write(encode(["XACK", "stream", "group", ...ids]) + read);
        }
      },
      close: () => reject(new Error("the server closed the connection")),
      error: (_, error) => reject(error),
    },
  });
  socket.write(read);
  await promise;
  socket.end();
}

await Promise.all(Array.from({ length: Number(values.consumers) }, (_, i) => consume(`c${i}`)));
console.log(JSON.stringify({ entries: acknowledged }));
