import { beforeEach, describe, expect, test } from "bun:test";
import { ManualClock } from "../../../src/base/clock.ts";
import { PropagationLog } from "../../../src/propagation/propagation-log.ts";
import { LatencyMonitor } from "../../../src/runtime/latency.ts";
import { Log } from "../../../src/runtime/log.ts";
import { AofWriter } from "../../../src/server/aof-writer.ts";
import { ManualBackground, MemoryFiles } from "../../support/memory-files.ts";

const PATH = "incr";

let files: MemoryFiles;
let background: ManualBackground;
let clock: ManualClock;
let changes: PropagationLog;
let writer: AofWriter;
let messages: string[];
let statuses: (string | null)[];
let exits: number[];
let isSaving: boolean;

beforeEach(() => {
  files = new MemoryFiles();
  background = new ManualBackground(files);
  clock = new ManualClock();
  changes = new PropagationLog(() => {});
  messages = [];
  statuses = [];
  exits = [];
  isSaving = false;
  const log = new Log(
    1,
    clock,
    () => 0,
    (line) => messages.push(line.trimEnd().replace(/^.*? [-*#.] /, "")),
  );
  writer = new AofWriter({
    files,
    background,
    clock,
    log,
    latency: new LatencyMonitor(),
    changes,
    isSaving: () => isSaving,
    onStatus: (error) => statuses.push(error),
    onSynced: () => {},
    sleepUs: () => {},
    exit(code) {
      exits.push(code);
      throw new Error(`exit ${code}`);
    },
  });
  writer.use(files.open(PATH, "append"), 0);
});

/** A change of so many bytes; what it adds to the file. */
function change(text: string): string {
  const from = changes.length;
  changes.beginUnit();
  changes.command(0, 1);
  changes.argumentText(text);
  changes.endUnit();
  return Buffer.from(changes.bytes.subarray(from, changes.length)).toString("latin1");
}

describe("appendfsync always", () => {
  test("writes and synchronises at once", () => {
    writer.policy = "always";
    const text = change("a") + change("b");
    writer.flush(false);
    expect(files.text(PATH)).toBe(text);
    expect(files.calls.filter((call) => call === "write").length).toBe(1);
    expect(Buffer.from(files.durable.get(PATH) ?? []).toString()).toBe(text);
    expect(writer.syncedOffset).toBe(writer.propagated);
    expect(changes.length).toBe(0);
  });

  test("ends the process when it cannot write or synchronise", () => {
    writer.policy = "always";
    change("a");
    files.failing.set("sync", "EIO");
    expect(() => writer.flush(false)).toThrow("exit 1");
    files.failing.clear();
    change("b");
    files.failing.set("write", "ENOSPC");
    expect(() => writer.flush(false)).toThrow("exit 1");
    expect(exits).toEqual([1, 1]);
    expect(messages).toEqual([
      "Can't persist AOF for fsync error when the AOF fsync policy is 'always': EIO of sync. Exiting...",
      "Error writing to the AOF file: ENOSPC of write",
      "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    ]);
  });

  test("synchronises what another policy left", () => {
    writer.policy = "no";
    change("a");
    writer.flush(false);
    expect(files.durable.size).toBe(0);
    writer.policy = "always";
    writer.flush(false);
    expect(files.durable.size).toBe(1);
  });
});

describe("appendfsync everysec", () => {
  test("synchronises in the background, once a second, what was written", () => {
    change("a");
    writer.flush(false);
    expect(background.pending.length).toBe(0);
    clock.advanceMs(1000);
    writer.flush(false);
    expect(background.pending.length).toBe(1);
    expect(writer.syncedOffset).toBe(0);
    background.run();
    expect(writer.syncedOffset).toBe(writer.written);
    clock.advanceMs(5000);
    writer.flush(false);
    expect(background.pending.length).toBe(0);
  });

  test("waits up to two seconds for a slow disk before it writes", () => {
    change("a");
    writer.flush(false);
    clock.advanceMs(1000);
    writer.flush(false);
    const second = change("b");
    writer.flush(false);
    clock.advanceMs(1999);
    writer.flush(false);
    expect(files.text(PATH)).not.toContain(second);
    clock.advanceMs(1);
    writer.flush(false);
    expect(files.text(PATH)).toContain(second);
    expect(writer.delayedSyncs).toBe(1);
    expect(messages).toEqual([
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down the server.",
    ]);
  });

  test("writes as soon as the disk is done", () => {
    change("a");
    writer.flush(false);
    clock.advanceMs(1000);
    writer.flush(false);
    const second = change("b");
    writer.flush(false);
    background.run();
    expect(files.text(PATH)).toContain(second);
    expect(writer.delayedSyncs).toBe(0);
  });

  test("writes at once when forced", () => {
    change("a");
    writer.flush(false);
    clock.advanceMs(1000);
    writer.flush(false);
    const second = change("b");
    writer.flush(true);
    expect(files.text(PATH)).toContain(second);
  });

  test("tells of failures in the background, and of their end", () => {
    change("a");
    clock.advanceMs(1000);
    files.failing.set("sync", "EIO");
    writer.flush(false);
    background.run();
    files.failing.clear();
    change("b");
    clock.advanceMs(1000);
    writer.flush(false);
    background.run();
    expect(statuses).toEqual(["EIO of sync", null]);
    expect(messages).toEqual(["Fail to fsync the AOF file: EIO of sync"]);
  });

  test("spares the disk while a snapshot is written, if it is to", () => {
    writer.sparesDisk = true;
    isSaving = true;
    change("a");
    clock.advanceMs(1000);
    writer.flush(false);
    expect(background.pending.length).toBe(0);
    isSaving = false;
    writer.flush(false);
    expect(background.pending.length).toBe(1);
  });
});

describe("a full disk", () => {
  test("leaves the changes in the log, cuts off what was written, and is told", () => {
    const first = change("a");
    writer.flush(false);
    files.room = first.length + 5;
    const second = change("b");
    writer.flush(false);
    expect(files.text(PATH)).toBe(first);
    expect(changes.length).toBe(second.length);
    expect(statuses).toEqual(["No space left on device"]);
    const third = change("c");
    files.room = Infinity;
    writer.flush(false);
    expect(files.text(PATH)).toBe(first + second + third);
    expect(statuses).toEqual(["No space left on device", null]);
    expect(messages).toEqual([
      `Short write while writing to the AOF file: (nwritten=5, expected=${second.length})`,
      "AOF write error looks solved. The server can write again.",
    ]);
  });

  test("keeps what cannot be cut off, and goes on behind it", () => {
    files.room = 5;
    files.failing.set("truncate", "EIO");
    const text = change("a");
    writer.flush(false);
    expect(files.text(PATH)).toBe(text.slice(0, 5));
    files.room = Infinity;
    writer.flush(false);
    expect(files.text(PATH)).toBe(text);
    expect(writer.size).toBe(text.length);
  });

  test("is logged once in thirty seconds", () => {
    files.room = 0;
    change("a");
    for (let i = 0; i < 40; i++) {
      writer.flush(false);
      clock.advanceMs(1000);
    }
    expect(messages.length).toBe(2);
  });
});

describe("the file", () => {
  test("gets an annotation once a second, if it is to", () => {
    writer.writesTimestamps = true;
    const first = change("a");
    writer.flush(false);
    const second = change("b");
    writer.flush(false);
    clock.advanceMs(1000);
    const third = change("c");
    writer.flush(false);
    const seconds = Math.floor(clock.nowMs() / 1000);
    expect(files.text(PATH)).toBe(
      `#TS:${seconds - 1}\r\n${first}${second}#TS:${seconds}\r\n${third}`,
    );
  });

  test("gets complete units only", () => {
    const first = change("a");
    changes.beginUnit();
    changes.command(0, 1);
    changes.argumentText("b");
    writer.flush(true);
    expect(files.text(PATH)).toBe(first);
    changes.command(0, 1);
    changes.argumentText("c");
    changes.endUnit();
    writer.flush(true);
    expect(files.text(PATH)).toBe(
      `${first}*1\r\n$5\r\nMULTI\r\n*1\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n*1\r\n$4\r\nEXEC\r\n`,
    );
  });

  test("that is not synchronised yet counts before the next one does", () => {
    change("a");
    writer.flush(false);
    writer.use(files.open("next", "append"), 0);
    writer.policy = "always";
    change("b");
    writer.flush(false);
    expect(files.durable.has("next")).toBe(true);
    expect(writer.syncedOffset).toBe(0);
    background.run();
    writer.flush(false);
    expect(writer.syncedOffset).toBe(writer.propagated);
  });

  test("is synchronised in time when somebody sets the clock back", () => {
    clock.setMs(clock.nowMs() - 1_000_000);
    change("a");
    writer.flush(false);
    clock.advanceMs(1000);
    writer.flush(false);
    expect(background.pending.length).toBe(1);
  });

  test("is synchronised and closed when another takes its place", () => {
    change("a");
    writer.flush(false);
    writer.use(files.open("next", "append"), 0);
    background.run();
    expect(files.durable.has(PATH)).toBe(true);
    const text = change("b");
    writer.close();
    expect(files.text("next")).toContain(text);
    expect(files.durable.has("next")).toBe(true);
    expect(writer.file).toBe(-1);
  });
});
