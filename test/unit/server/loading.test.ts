/** Loading in steps: what is said on the way, and what becomes of a task that throws. */
import { afterEach, expect, test } from "bun:test";
import type { LoadTask } from "../../../src/server/loading.ts";
import { Engine } from "../../support/engine.ts";
import { formatReply } from "../../support/reply.ts";

const MEGABYTE = 1_048_576;
let engine: Engine | null = null;
afterEach(() => {
  engine?.stop();
  engine = null;
});

/** A task of a number of steps, each of which takes so long and reads 4 MB and 1000 keys. */
function slowTask(owner: Engine, steps: number, stepMs: number): LoadTask {
  let done = 0;
  return {
    totalBytes: steps * 4 * MEGABYTE,
    usedMemoryBytes: 0,
    get loadedBytes() {
      return done * 4 * MEGABYTE;
    },
    get keysRead() {
      return done * 1000;
    },
    step() {
      done++;
      owner.clock.advanceMs(stepMs);
      return done === steps;
    },
  };
}

test("a line every five seconds says how far it is, and commands are refused until the end", async () => {
  const owner = (engine = new Engine(1_800_000_000_000));
  const { server } = owner;
  const lines: string[] = [];
  server.log.sink = (line) => lines.push(line);
  const client = owner.connect();
  const done = new Promise<void>((resolve) =>
    server.loading.run(slowTask(owner, 8, 3000), resolve),
  );
  expect(server.loading.isOn).toBeTrue();
  expect(formatReply(client.command("GET", "a")!)).toContain("LOADING");
  await done;
  expect(server.loading.isOn).toBeFalse();
  expect(formatReply(client.command("GET", "a")!)).not.toContain("LOADING");
  expect(lines.map((line) => line.slice(line.indexOf("* ") + 2).trim())).toEqual([
    "Loading: 2000 keys, 8.0 of 32.0 MB (25 %), 18 s left",
    "Loading: 4000 keys, 16.0 of 32.0 MB (50 %), 12 s left",
    "Loading: 6000 keys, 24.0 of 32.0 MB (75 %), 6 s left",
  ]);
});

test("a task that throws ends the process, and is not done", () => {
  const owner = (engine = new Engine(1_800_000_000_000));
  const { server } = owner;
  const lines: string[] = [];
  server.log.sink = (line) => lines.push(line);
  const failing: LoadTask = {
    totalBytes: 1,
    loadedBytes: 0,
    usedMemoryBytes: 0,
    keysRead: 0,
    step() {
      throw new RangeError("Out of memory");
    },
  };
  server.loading.run(failing, () => expect.unreachable());
  expect(lines.join("")).toContain(
    "Fatal error loading the DB: RangeError: Out of memory. Exiting.",
  );
  expect(server.loading.isOn).toBeFalse();
});
