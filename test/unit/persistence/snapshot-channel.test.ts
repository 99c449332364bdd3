/** Channels: that what is written arrives, whoever writes the file, and what failures look like. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Crc64 } from "../../../src/base/crc64.ts";
import { systemFiles } from "../../../src/base/file-system.ts";
import { RdbWriter } from "../../../src/persistence/rdb-writer.ts";
import {
  ChannelState,
  LocalChannel,
  type SnapshotChannel,
  type StartSnapshotWorker,
  WorkerChannel,
} from "../../../src/persistence/snapshot-channel.ts";
import { type SinkSettings, SinkStage } from "../../../src/persistence/snapshot-sink.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

setDefaultTimeout(30_000);
const FILE = "test/unit/persistence/snapshot-channel.test.ts";
const seed = seedOfRun();
const CHECKSUM_BYTES = 8;

const startWorker: StartSnapshotWorker = (order, onMessage, onEnd) => {
  const url = new URL("../../../src/persistence/snapshot-worker.ts", import.meta.url);
  const worker = new Worker(url.href);
  worker.addEventListener("message", onMessage);
  worker.addEventListener("error", onEnd);
  worker.addEventListener("close", onEnd);
  worker.postMessage(order);
  return worker;
};

/** A file in a directory of its own. */
function withSettings(run: (settings: SinkSettings) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "bunsen-test-"));
  try {
    run({
      temporary: join(directory, "temporary"),
      target: join(directory, "target"),
      directory,
      compresses: true,
      checksums: true,
      syncsAlong: true,
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function writeAll(channel: SnapshotChannel, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const count = channel.take(bytes, at, bytes.length);
    if (count === 0) channel.wait();
    at += count;
  }
}

function finish(channel: SnapshotChannel): void {
  channel.finish();
  while (channel.state === ChannelState.WRITING) channel.wait();
  channel.close();
}

test(`both write the same file (seed ${seed})`, () =>
  withSeed(FILE, seed, (random) => {
    const expected = new RdbWriter();
    const spans = new RdbWriter();
    spans.startSpan();
    // More than the ring holds, with strings of all lengths, compressible ones among them.
    while (spans.length < 12_000_000) {
      const length = random.oneIn(50) ? random.below(600_000) : random.below(100);
      const text = random.oneIn(2) ? random.bytes(length) : new Uint8Array(length).fill(65);
      for (const writer of [expected, spans]) {
        writer.byte(length);
        writer.string(text, 0, length);
      }
    }
    spans.endSpan();
    const checksum = new Crc64();
    checksum.update(expected.bytes, 0, expected.length);
    for (const isWorker of [false, true]) {
      withSettings((settings) => {
        const channel = isWorker
          ? new WorkerChannel(startWorker, settings, systemFiles, true, () => {})
          : new LocalChannel(systemFiles, settings);
        writeAll(channel, spans.bytes.subarray(0, spans.length));
        finish(channel);
        expect(channel.failure).toBeNull();
        const file = new Uint8Array(readFileSync(settings.target ?? ""));
        const end = file.length - CHECKSUM_BYTES;
        expect(end).toBe(expected.length);
        expect(Buffer.compare(file.subarray(0, end), expected.bytes.subarray(0, end))).toBe(0);
        expect(checksum.matches(file, end)).toBe(true);
        expect(existsSync(settings.temporary)).toBe(false);
      });
    }
  }));

for (const isWorker of [false, true]) {
  test(`a failure says at what, and lets the writer go on (Worker: ${isWorker})`, () => {
    withSettings((settings) => {
      const missing = { ...settings, temporary: join(settings.directory, "none", "temporary") };
      const channel = isWorker
        ? new WorkerChannel(startWorker, missing, systemFiles, true, () => {})
        : new LocalChannel(systemFiles, missing);
      writeAll(channel, new Uint8Array(8_000_000));
      finish(channel);
      expect(channel.state).toBe(ChannelState.FAILED);
      expect(channel.failure).toEqual({
        stage: SinkStage.OPEN,
        text: "No such file or directory",
      });
    });
  });

  test(`what is given up leaves nothing (Worker: ${isWorker})`, () => {
    withSettings((settings) => {
      const channel = isWorker
        ? new WorkerChannel(startWorker, settings, systemFiles, true, () => {})
        : new LocalChannel(systemFiles, settings);
      channel.take(new Uint8Array([1, 0, 0, 0, 65]), 0, 5);
      while (!existsSync(settings.temporary)) continue;
      channel.abandon(true);
      expect(existsSync(settings.temporary)).toBe(false);
      expect(existsSync(settings.target ?? "")).toBe(false);
    });
  });
}

test("a Worker that ends is a failure, and its file goes", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bunsen-test-"));
  const settings: SinkSettings = {
    temporary: join(directory, "temporary"),
    target: null,
    directory,
    compresses: true,
    checksums: true,
    syncsAlong: true,
  };
  let worker: { terminate(): void } | null = null;
  const { promise, resolve } = Promise.withResolvers<void>();
  const channel = new WorkerChannel(
    (order, onMessage, onEnd) => (worker = startWorker(order, onMessage, onEnd)),
    settings,
    systemFiles,
    true,
    resolve,
  );
  while (!existsSync(settings.temporary)) await Bun.file(settings.temporary).exists();
  expect(channel.state).toBe(ChannelState.WRITING);
  (worker as { terminate(): void } | null)?.terminate();
  await promise;
  expect(channel.state).toBe(ChannelState.FAILED);
  expect(channel.failure?.text).toBe("the thread that writes it ended");
  expect(existsSync(settings.temporary)).toBe(false);
  expect(channel.take(new Uint8Array(10), 0, 10)).toBe(10);
  rmSync(directory, { recursive: true, force: true });
});
