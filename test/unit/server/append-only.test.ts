import { beforeEach, describe, expect, test } from "bun:test";
import { ManualClock } from "../../../src/base/clock.ts";
import { AofDirectory } from "../../../src/persistence/aof-directory.ts";
import { PropagationLog } from "../../../src/propagation/propagation-log.ts";
import { LatencyMonitor } from "../../../src/runtime/latency.ts";
import { Log } from "../../../src/runtime/log.ts";
import { AofWriter } from "../../../src/server/aof-writer.ts";
import { AofState, AppendOnly, type BaseMaker } from "../../../src/server/append-only.ts";
import { ManualBackground, MemoryFiles } from "../../support/memory-files.ts";

const MANIFEST = "dir/a.aof.manifest";
const TEMPORARY_INCREMENT = "dir/temp-a.aof.incr";
const LIMIT_LOGGED =
  "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in 1 minutes";

/** Bases that are complete when the test says so. */
class ManualBases implements BaseMaker {
  isBusy = false;
  cancelled = 0;
  private finish: ((succeeded: boolean) => void) | null = null;

  start(path: string, _isRdb: boolean, done: (succeeded: boolean) => void): void {
    this.isBusy = true;
    this.finish = (succeeded) => {
      if (succeeded) files.contents.set(path, new Uint8Array(10));
      done(succeeded);
    };
  }

  write(path: string): boolean {
    files.contents.set(path, new Uint8Array(1));
    return true;
  }

  cancel(): void {
    this.isBusy = false;
    this.cancelled++;
  }

  end(succeeded: boolean): void {
    const { finish } = this;
    this.isBusy = false;
    this.finish = null;
    finish?.(succeeded);
  }
}

let files: MemoryFiles;
let background: ManualBackground;
let bases: ManualBases;
let clock: ManualClock;
let changes: PropagationLog;
let writer: AofWriter;
let aof: AppendOnly;
let messages: string[];
let listens: boolean;
let isInExec: boolean;

beforeEach(() => {
  files = new MemoryFiles();
  messages = [];
  restart();
});

/** A server over the same files. */
function restart(): void {
  background = new ManualBackground(files);
  bases = new ManualBases();
  clock = new ManualClock();
  changes = new PropagationLog(() => {});
  listens = false;
  isInExec = false;
  const log = new Log(
    1,
    clock,
    () => 0,
    (line) => messages.push(line.trimEnd().replace(/^.*? [-*#.] /, "")),
  );
  const names = { directory: "dir", file: "a.aof", toPath: (name: string) => name };
  const directory = new AofDirectory(files, names, log);
  writer = new AofWriter({
    files,
    background,
    clock,
    log,
    latency: new LatencyMonitor(),
    changes,
    isSaving: () => bases.isBusy,
    onStatus: () => {},
    onSynced: () => {},
    sleepUs: () => {},
    exit: () => {},
  });
  aof = new AppendOnly({
    files,
    background,
    clock,
    log,
    pid: 1,
    changes,
    directory,
    writer,
    bases,
    listen: (on) => (listens = on),
    isInExec: () => isInExec,
    onStopped: () => {},
  });
  expect(aof.loadManifest()).toBe(true);
}

function change(text: string): void {
  changes.beginUnit();
  changes.command(0, 1);
  changes.argumentText(text);
  changes.endUnit();
  aof.endTurn();
}

/** The manifest on the disk as "b1 i1 i2": types and numbers. */
function manifest(): string {
  const lines = files.text(MANIFEST).split("\n").slice(0, -1);
  return lines.map((line) => line.replace(/^file (\S+) seq (\d+) type (.)$/, "$3$2")).join(" ");
}

function rewrite(succeeds: boolean): void {
  expect(aof.rewriteOnRequest()).toBe("Background append only file rewriting started");
  bases.end(succeeds);
}

describe("at the start", () => {
  test("a base and an increment are made", () => {
    expect(aof.openAtStart()).toBe(true);
    expect(manifest()).toBe("b1 i1");
    expect(listens).toBe(true);
    change("hello");
    expect(files.text("dir/a.aof.1.incr.aof")).toContain("hello");
    expect(messages).toEqual([
      "Creating AOF base file a.aof.1.base.rdb on server start",
      "Creating AOF incr file a.aof.1.incr.aof on server start",
    ]);
  });

  test("the last increment is gone on with", () => {
    aof.openAtStart();
    change("first");
    restart();
    expect(aof.openAtStart()).toBe(true);
    change("second");
    expect(manifest()).toBe("b1 i1");
    expect(files.text("dir/a.aof.1.incr.aof")).toMatch(/first[^]*second/);
    expect(messages.at(-1)).toBe("Opening AOF incr file a.aof.1.incr.aof on server start");
  });

  test("a directory that cannot be made is told", () => {
    files.failing.set("makeDirectory", "EACCES");
    expect(aof.openAtStart()).toBe(false);
    expect(messages).toEqual(["Can't open or create append-only dir dir: EACCES of makeDirectory"]);
  });
});

describe("a rewrite", () => {
  test("replaces base and increments, and removes them", () => {
    aof.openAtStart();
    change("before");
    expect(aof.rewriteOnRequest()).toBe("Background append only file rewriting started");
    expect(manifest()).toBe("b1 i1 i2");
    change("meanwhile");
    bases.end(true);
    expect(manifest()).toBe("b2 i2");
    background.run();
    expect([...files.contents.keys()].toSorted()).toEqual([
      "dir/a.aof.2.base.rdb",
      "dir/a.aof.2.incr.aof",
      MANIFEST,
    ]);
    expect(files.text("dir/a.aof.2.incr.aof")).toContain("meanwhile");
    // The new increment begins with the choice of its database.
    expect(files.text("dir/a.aof.2.incr.aof")).toStartWith("*2\r\n$6\r\nSELECT");
    expect(messages.slice(2)).toEqual([
      "Creating AOF incr file a.aof.2.incr.aof on background rewrite",
      "Background append only file rewriting started by pid 1",
      "Background AOF rewrite terminated with success",
      "Successfully renamed the temporary AOF base file temp-rewriteaof-bg-1.aof into a.aof.2.base.rdb",
      "Removing the history file a.aof.1.incr.aof in the background",
      "Removing the history file a.aof.1.base.rdb in the background",
      "Background AOF rewrite finished successfully",
    ]);
    expect(aof.baseBytes).toBe(aof.currentBytes);
  });

  test("that fails leaves its increment, and the next one takes them all over", () => {
    aof.openAtStart();
    for (let i = 0; i < 3; i++) rewrite(false);
    expect(manifest()).toBe("b1 i1 i2 i3 i4");
    expect(aof.lastRewriteSucceeded).toBe(false);
    rewrite(true);
    expect(manifest()).toBe("b2 i5");
    expect(aof.lastRewriteSucceeded).toBe(true);
  });

  test("that cannot be taken into the manifest leaves everything as it was", () => {
    aof.openAtStart();
    aof.rewriteOnRequest();
    files.failing.set("sync", "EIO");
    bases.end(true);
    expect(manifest()).toBe("b1 i1 i2");
    expect(files.exists("dir/a.aof.2.base.rdb")).toBe(false);
    expect(messages).toContain("Fail to fsync the temp AOF file temp-a.aof.manifest: EIO of sync");
    files.failing.clear();
    rewrite(true);
    expect(manifest()).toBe("b2 i3");
  });

  test("whose increment cannot be opened does not begin", () => {
    aof.openAtStart();
    files.failing.set("open", "EMFILE");
    expect(aof.rewriteOnRequest()).toStartWith("ERR Can't execute an AOF background rewriting.");
    files.failing.clear();
    change("more");
    expect(files.text("dir/a.aof.1.incr.aof")).toContain("more");
    expect(manifest()).toBe("b1 i1");
  });

  test("waits for another snapshot, and for a transaction", () => {
    aof.openAtStart();
    bases.isBusy = true;
    expect(aof.rewriteOnRequest()).toBe("Background append only file rewriting scheduled");
    aof.tick();
    expect(aof.isRewriting).toBe(false);
    bases.isBusy = false;
    aof.tick();
    expect(aof.isRewriting).toBe(true);
    expect(aof.rewriteOnRequest()).toBe(
      "ERR Background append only file rewriting already in progress",
    );
    bases.end(true);
    isInExec = true;
    expect(aof.rewriteOnRequest()).toBe("Background append only file rewriting scheduled");
  });

  test("begins by itself when the files have grown enough", () => {
    aof.rewritePercentage = 100;
    aof.rewriteMinBytes = 200;
    aof.openAtStart();
    rewrite(true);
    change("x".repeat(100));
    aof.tick();
    expect(aof.isRewriting).toBe(false);
    change("x".repeat(100));
    aof.tick();
    expect(aof.isRewriting).toBe(true);
    expect(messages).toContainEqual(
      expect.stringMatching(/^Starting automatic rewriting of AOF on \d+% growth$/),
    );
  });

  test("by itself waits longer and longer after three failures; on request it does not", () => {
    aof.rewritePercentage = 1;
    aof.openAtStart();
    for (let i = 0; i < 3; i++) rewrite(false);
    change("x".repeat(1024));
    aof.tick();
    aof.tick();
    expect(messages.filter((message) => message === LIMIT_LOGGED).length).toBe(1);
    expect(aof.isRewriting).toBe(false);
    clock.advanceMs(60_000);
    aof.tick();
    expect(aof.isRewriting).toBe(true);
    bases.end(false);
    aof.tick();
    expect(messages.at(-1)).toEndWith("will retry in 2 minutes");
    rewrite(true);
    change("x".repeat(1024));
    aof.tick();
    expect(aof.isRewriting).toBe(true);
  });

  test("keeps the files before, if it is to, until they may go", () => {
    aof.openAtStart();
    aof.keepsHistory = true;
    rewrite(true);
    rewrite(true);
    expect(manifest()).toBe("b3 h2 h2 h1 h1 i3");
    restart();
    expect(aof.openAtStart()).toBe(true);
    expect(files.exists("dir/a.aof.1.base.rdb")).toBe(true);
    aof.removeHistory();
    expect(manifest()).toBe("b3 i3");
    expect(files.exists("dir/a.aof.1.base.rdb")).toBe(false);
  });
});

describe("turned on while the server runs", () => {
  test("changes go to a temporary increment until the first base is there", () => {
    expect(aof.start()).toBe(true);
    expect(aof.state).toBe(AofState.WAITING);
    change("early");
    expect(files.exists(MANIFEST)).toBe(false);
    expect(files.text(TEMPORARY_INCREMENT)).toContain("early");
    bases.end(true);
    expect(aof.state).toBe(AofState.ON);
    expect(manifest()).toBe("b1 i1");
    expect(files.exists(TEMPORARY_INCREMENT)).toBe(false);
    change("late");
    expect(files.text("dir/a.aof.1.incr.aof")).toMatch(/early[^]*late/);
  });

  test("a first base that fails is tried again, and nothing is left of it", () => {
    aof.start();
    change("lost");
    bases.end(false);
    expect(messages.at(-1)).toBe(
      "Removing the temp incr aof file temp-a.aof.incr in the background",
    );
    expect([files.exists(MANIFEST), files.exists(TEMPORARY_INCREMENT), listens]).toEqual([
      false,
      false,
      false,
    ]);
    aof.tick();
    expect(aof.isRewriting).toBe(true);
    change("kept");
    bases.end(true);
    expect(manifest()).toBe("b1 i1");
    expect(files.text("dir/a.aof.1.incr.aof")).not.toContain("lost");
    expect(files.text("dir/a.aof.1.incr.aof")).toContain("kept");
  });

  test("it waits for another snapshot, and keeps no changes until then", () => {
    bases.isBusy = true;
    expect(aof.start()).toBe(true);
    expect([listens, aof.isRewriteScheduled]).toEqual([false, true]);
    bases.isBusy = false;
    aof.tick();
    expect([listens, aof.isRewriting]).toEqual([true, true]);
  });

  test("turned off, what is written stays, and a rewrite makes a base alone", () => {
    aof.openAtStart();
    change("kept");
    aof.rewriteOnRequest();
    aof.stop();
    expect([listens, bases.cancelled, aof.isRewriting]).toEqual([false, 1, false]);
    expect(messages).toContain("Killing running AOF rewrite child: 1");
    expect(files.text("dir/a.aof.1.incr.aof")).toContain("kept");
    expect(manifest()).toBe("b1 i1 i2");
    rewrite(true);
    expect(manifest()).toBe("b2");
    aof.start();
    bases.end(true);
    expect(manifest()).toBe("b3 i3");
    aof.stop();
    // Read anew without increments, the manifest begins to number them again.
    rewrite(true);
    restart();
    aof.start();
    bases.end(true);
    expect(manifest()).toBe("b5 i1");
  });

  test("a server that ends before the first base is complete is held back", () => {
    aof.start();
    expect(aof.shutDown(false)).toBe(false);
    expect(messages.at(-1)).toBe("Writing initial AOF, can't exit");
    expect(aof.shutDown(true)).toBe(true);
    expect(messages.at(-1)).toBe("Calling fsync() on the AOF file.");
  });
});
