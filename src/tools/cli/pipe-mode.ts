/**
 * --pipe: standard input goes to the server as it is, and the replies are counted.
 *
 * Both directions run at the same time, or a server that answers faster than we read would stop
 * reading. The end is marked by an ECHO of random bytes, so that its reply is known from all others.
 */
import type { Clock } from "../../base/clock.ts";
import type { Prng } from "../../base/prng.ts";
import { ConnectionLost, encodeCommand } from "../connection.ts";
import { CliExit, fail, print, printError } from "./console.ts";
import type { Session } from "./session.ts";

const MAGIC_BYTES = 20;

export async function pipeMode(session: Session, clock: Clock, prng: Prng): Promise<void> {
  await session.mustConnect();
  const connection = session.connection;
  if (connection === null) throw new CliExit(1);
  const magic = Array.from({ length: MAGIC_BYTES }, () =>
    String.fromCharCode(Math.floor(prng.nextFloat() * 256)),
  ).join("");
  const state = { isSent: false, lastReplyUs: clock.monotonicUs() };
  const sending = sendInput();
  const timeoutUs = session.options.pipeTimeoutSeconds * 1e6;
  const watch = setInterval(() => {
    const isLate = clock.monotonicUs() - state.lastReplyUs > timeoutUs;
    if (state.isSent && timeoutUs > 0 && isLate) connection.close();
  }, 1000);
  let errors = 0;
  let replies = 0;
  try {
    while (true) {
      const reply = await connection.read();
      state.lastReplyUs = clock.monotonicUs();
      if (reply.type === "push") continue;
      if (reply.type === "error") {
        printError(`${reply.text}\n`);
        errors++;
      } else if (state.isSent && reply.type === "bulk" && reply.text === magic) {
        print("Last reply received from server.\n");
        break;
      }
      replies++;
    }
    await sending;
  } catch (error) {
    if (!(error instanceof ConnectionLost)) fail("Error reading replies from server\n");
    const isLate = clock.monotonicUs() - state.lastReplyUs > timeoutUs;
    if (!state.isSent || timeoutUs === 0 || !isLate) throw new CliExit(1);
    printError(`No replies for ${session.options.pipeTimeoutSeconds} seconds: exiting.\n`);
    errors++;
  } finally {
    clearInterval(watch);
  }
  print(`errors: ${errors}, replies: ${replies}\n`);
  throw new CliExit(errors === 0 ? 0 : 1);

  async function sendInput(): Promise<void> {
    for await (const chunk of Bun.stdin.stream()) {
      connection?.send(chunk);
      await connection?.waitUntilSent();
    }
    state.isSent = true;
    state.lastReplyUs = clock.monotonicUs();
    print("All data transferred. Waiting for the last reply...\n");
    // The line end closes whatever the input left open; servers pass over it.
    connection?.send(Buffer.concat([Buffer.from("\r\n"), encodeCommand(["ECHO", magic])]));
  }
}
