/** A client that never stops asking does not keep the server from answering others. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Socket } from "bun";
import { textOf } from "../support/reply.ts";
import { concatBytes, encodeCommand } from "../support/resp-client.ts";
import { useServer } from "../support/server-process.ts";

setDefaultTimeout(60_000);
const server = useServer({ program: "ours" });

const ROUND_TRIPS = 200;

test("others are answered during an endless pipeline", async () => {
  const requests = concatBytes(Array.from({ length: 40_000 }, () => encodeCommand(["INCR", "n"])));
  let position = 0;
  let stopped = false;
  const sendOn = (socket: Socket) => {
    while (!stopped) {
      const rest = requests.length - position;
      const written = socket.write(position === 0 ? requests : requests.subarray(position));
      if (written > 0) position = (position + written) % requests.length;
      if (written < rest) return;
    }
  };
  const endless = await Bun.connect({
    hostname: "127.0.0.1",
    port: server().port,
    socket: { open: sendOn, drain: sendOn, data: sendOn },
  });
  const other = await server().connect();
  const counter = async () => Number(textOf(await other.must("GET", "n")));
  await other.must("SET", "n", "0", "NX");
  const before = await counter();
  for (let i = 0; i < ROUND_TRIPS; i++) await other.must("PING");
  // Both go on: the other client was answered, and meanwhile so was the endless one.
  while ((await counter()) === before) continue;
  const all = Number(
    /^total_commands_processed:(\d+)/m.exec(textOf(await other.must("INFO")))?.[1],
  );
  expect(all).toBeGreaterThan(ROUND_TRIPS);
  stopped = true;
  endless.end();
  other.close();
});
