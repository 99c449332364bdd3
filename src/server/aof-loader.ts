/**
 * Loads an append-only file: the base, then the increments, each command run by a client of its
 * own, as if somebody had sent it. In steps, between which the server can answer that it is loading.
 *
 * The end of the last file may be missing after a crash: with aof-load-truncated it is cut off
 * behind the last complete command or transaction. Everything else that is wrong ends the loading.
 * A file may begin with an RDB file, as bases and the single files of older versions do. Messages
 * are Redis's, with a line before them that says where.
 *
 * O(bytes of the files), and what the commands cost.
 */
import type { Clock } from "../base/clock.ts";
import { FileError, type FileSystem } from "../base/file-system.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { AofDirectory } from "../persistence/aof-directory.ts";
import type { AofFile, AofManifest } from "../persistence/aof-manifest.ts";
import { AofRead, AofReader } from "../persistence/aof-reader.ts";
import { RdbLoader, type RdbLoadOptions } from "../persistence/rdb-file-load.ts";
import { FileSource } from "../persistence/rdb-file-source.ts";
import type { Effects } from "../propagation/effects.ts";
import { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Log } from "../runtime/log.ts";
import { Client, Gate, type Transport } from "../session/client.ts";
import { replayFunction } from "./aof-functions.ts";
import type { LoadTask } from "./loading.ts";

/** What became of the loading. */
export type AofLoadOutcome =
  | "loading"
  | "loaded"
  /** Loaded; the end of the last file was cut off. */
  | "truncated"
  /** There are no files, or nothing is in them. */
  | "missing"
  | "empty"
  | "failed";

export interface AofLoadParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly keyspace: Keyspace;
  readonly dispatcher: Dispatcher;
  readonly effects: Effects;
  readonly directory: AofDirectory;
  readonly rdbOptions: RdbLoadOptions;
  /** aof-load-truncated. */
  readonly truncates: boolean;
  /** A command in the file was answered with an error. */
  onErrorReply(error: string, command: string): void;
}

/** The file that is being loaded. */
interface OpenFile {
  readonly file: AofFile;
  readonly descriptor: number;
  readonly isLast: boolean;
  readonly startedUs: number;
  /** Set while its RDB part is loaded. */
  rdb: RdbLoader | null;
  reader: AofReader | null;
  /** Where the last complete command ends, and the last one before an open MULTI. */
  validUpTo: number;
  validBeforeMulti: number;
}

const SIGNATURE = "REDIS";
/** The client that runs the commands, as Redis numbers it. */
const CLIENT_ID = -1;

/** Replies of the file's commands are nobody's. */
const NOWHERE: Transport = {
  flush: (reply) => reply.clear(),
  send() {},
  close() {},
  resume() {},
  pendingBytes: () => 0,
  pendingBuffers: () => 0,
  queryBytes: () => 0,
  queryBytesFree: () => 0,
  replyBufferBytes: () => 0,
  replyBufferPeak: () => 0,
  memoryBytes: () => 0,
};

export class AofLoader implements LoadTask {
  outcome: AofLoadOutcome = "loading";
  totalBytes = 0;
  usedMemoryBytes = 0;
  /** Keys of RDB files, and commands. */
  keysRead = 0;
  /** Bytes of the base. */
  baseBytes = 0;

  private readonly files: FileSystem;
  private readonly client: Client;
  private readonly reply = new ReplyWriter();
  private current: OpenFile | null = null;
  /** Files that have been loaded, and their bytes. */
  private fileCount = 0;
  private doneBytes = 0;
  private wasTruncated = false;

  constructor(
    private readonly parts: AofLoadParts,
    private readonly manifest: AofManifest,
  ) {
    this.files = parts.directory.files;
    this.client = new Client(CLIENT_ID, "", "", -1, false, NOWHERE, parts.clock.nowMs());
    this.client.authenticated = true;
    this.client.mayBlock = false;
    this.client.mustObey = true;
    this.outcome = this.begin();
  }

  /** The name of the file that is being loaded. */
  get fileName(): string {
    return this.manifest.loaded[this.fileCount]?.name ?? "";
  }

  get loadedBytes(): number {
    const { current } = this;
    if (current === null) return this.doneBytes;
    return this.doneBytes + (current.rdb?.loadedBytes ?? current.reader?.offset ?? 0);
  }

  step(untilUs: number, bytesMax: number, keysMax: number): boolean {
    const { clock, keyspace, effects } = this.parts;
    const untilBytes = this.loadedBytes + bytesMax;
    const untilKeys = this.keysRead + keysMax;
    const { mayExpire, hidesExpired } = keyspace;
    const logsChanges = effects.isOn;
    // Keys stay until a command of the file removes them, and nothing is news.
    keyspace.mayExpire = false;
    keyspace.hidesExpired = false;
    effects.isOn = false;
    keyspace.tick();
    while (this.outcome === "loading") {
      const { current } = this;
      if (current === null) this.openNext();
      else if (current.rdb !== null) {
        const bytesLeft = untilBytes - this.loadedBytes;
        this.stepRdb(current, current.rdb, untilUs, bytesLeft, untilKeys - this.keysRead);
      } else if (current.reader !== null) this.runBatch(current, current.reader);
      if (this.keysRead >= untilKeys || this.loadedBytes >= untilBytes) break;
      if (untilUs !== Infinity && clock.monotonicUs() >= untilUs) break;
    }
    keyspace.mayExpire = mayExpire;
    keyspace.hidesExpired = hidesExpired;
    effects.isOn = logsChanges;
    return this.outcome !== "loading";
  }

  /** Takes over the single file of older versions, and finds out how much there is to load. */
  private begin(): AofLoadOutcome {
    const { directory } = this.parts;
    const { manifest } = this;
    if (directory.needsUpgrade(manifest) && !directory.upgrade(manifest)) return "failed";
    if (manifest.isEmpty) return "missing";
    for (const { name, type } of manifest.loaded) {
      const size = directory.sizeOf(name);
      if (!("bytes" in size)) return "failed";
      this.totalBytes += size.bytes;
      if (type === "b") this.baseBytes = size.bytes;
    }
    return this.totalBytes === 0 ? "empty" : "loading";
  }

  private openNext(): void {
    const { directory, log, clock } = this.parts;
    const { loaded } = this.manifest;
    const file = loaded[this.fileCount];
    const { files } = this;
    let descriptor: number;
    try {
      descriptor = files.open(directory.path(file.name), "read");
    } catch (error) {
      const isMissing = error instanceof FileError && error.code === "ENOENT";
      log.warning(
        isMissing
          ? `The append log file ${file.name} doesn't exist: ${textOf(error)}`
          : `Fatal error: can't open the append log file ${file.name} for reading: ${textOf(error)}`,
      );
      this.outcome = "failed";
      return;
    }
    const current: OpenFile = {
      file,
      descriptor,
      isLast: this.fileCount === loaded.length - 1,
      startedUs: clock.monotonicUs(),
      rdb: null,
      reader: null,
      validUpTo: 0,
      validBeforeMulti: 0,
    };
    this.current = current;
    this.client.database = 0;
    try {
      if (this.hasRdb(descriptor)) this.beginRdb(current);
      else current.reader = new AofReader(files, descriptor, 0);
    } catch (error) {
      this.failReading(current, error);
    }
  }

  private hasRdb(descriptor: number): boolean {
    const bytes = new Uint8Array(SIGNATURE.length);
    const count = this.files.read(descriptor, bytes, 0, bytes.length, 0);
    return count === bytes.length && String.fromCharCode(...bytes) === SIGNATURE;
  }

  private beginRdb(current: OpenFile): void {
    const { log, keyspace, rdbOptions } = this.parts;
    log.notice(
      this.isOldStyle(current)
        ? "Reading RDB preamble from AOF file..."
        : "Reading RDB base file on AOF loading...",
    );
    const source = new FileSource(this.files, current.descriptor);
    current.rdb = new RdbLoader(source, keyspace, rdbOptions);
  }

  private isOldStyle({ file }: OpenFile): boolean {
    return file.name === this.parts.directory.names.file;
  }

  private stepRdb(
    current: OpenFile,
    rdb: RdbLoader,
    untilUs: number,
    bytesMax: number,
    keysMax: number,
  ): void {
    const { log } = this.parts;
    const keysBefore = rdb.keysRead;
    const isDone = rdb.step(untilUs, bytesMax, keysMax);
    this.keysRead += rdb.keysRead - keysBefore;
    this.usedMemoryBytes = rdb.usedMemoryBytes;
    if (!isDone) return;
    const isOldStyle = this.isOldStyle(current);
    if (rdb.failure !== null) {
      const part = isOldStyle ? "RDB preamble of the AOF file" : "RDB base file";
      log.warning(`Error reading the ${part} ${current.file.name}, AOF loading aborted`);
      this.fail(current);
      return;
    }
    current.rdb = null;
    current.validUpTo = rdb.endOffset;
    current.reader = new AofReader(this.files, current.descriptor, rdb.endOffset);
    if (isOldStyle) log.notice("Reading the remaining AOF tail...");
  }

  private runBatch(current: OpenFile, reader: AofReader): void {
    let status: AofRead;
    try {
      status = reader.next();
    } catch (error) {
      this.failReading(current, error);
      return;
    }
    if (status === AofRead.COMMANDS) this.runCommands(current, reader);
    else if (status === AofRead.BROKEN) {
      const { log } = this.parts;
      log.warning(`At offset ${reader.offset} of ${current.file.name}: ${reader.parser.error}`);
      this.fail(current);
      log.warning(
        `Bad file format reading the append only file ${current.file.name}: make a backup of your AOF file, then use bunsen check-aof --fix <filename.manifest>`,
      );
    } else this.endFile(current, status === AofRead.CUT);
  }

  private runCommands(current: OpenFile, reader: AofReader): void {
    const { dispatcher, keyspace, log } = this.parts;
    const { client, reply } = this;
    const { batch, batchCount } = reader.parser;
    dispatcher.prepare(client, batch, batchCount);
    this.keysRead += batchCount;
    const errorsBefore = reply.errorCount;
    for (let i = 0; i < batchCount; i++) {
      const args = batch[i];
      const wasInMulti = (client.gate & Gate.IN_MULTI) !== 0;
      const error = dispatcher.replayPrepared(client, args, i, reply);
      if (error !== null && !replayFunction(args, keyspace.functions)) {
        const problem = error.replace(/^ERR /, "");
        const start = i === 0 ? current.validUpTo : reader.endOf(i - 1);
        log.warning(`The command at offset ${start} of ${current.file.name} cannot be run`);
        this.fail(current);
        log.warning(`Error reading the append only file ${current.file.name}, error: ${problem}`);
        return;
      }
      if (!wasInMulti && (client.gate & Gate.IN_MULTI) !== 0) {
        current.validBeforeMulti = i === 0 ? current.validUpTo : reader.endOf(i - 1);
      }
      if (reply.errorCount !== errorsBefore) {
        this.tellError(args.text(0));
        if (args.is(0, "SELECT")) {
          // What follows would go into another database's place.
          log.warning(
            `FATAL: Data file was created with a Bunsen server configured to handle more than ${keyspace.databases.length} databases. Exiting`,
          );
          this.fail(current);
          return;
        }
      }
      reply.length = 0;
    }
    reply.clear();
    current.validUpTo = reader.offset;
  }

  /** A command of the file failed: the data are not what they were. */
  private tellError(command: string): void {
    const { reply } = this;
    const text = Buffer.from(reply.bytes.buffer, 1, reply.length - 1).toString("latin1");
    reply.errorCount = 0;
    this.parts.onErrorReply(text.replace(/\r\n[^]*$/, ""), command.toLowerCase());
  }

  /** The file is read to its end, which may be in the middle of something. */
  private endFile(current: OpenFile, isCut: boolean): void {
    const { log } = this.parts;
    const { name } = current.file;
    const isInMulti = (this.client.gate & Gate.IN_MULTI) !== 0;
    if (isInMulti) {
      log.warning(`Revert incomplete MULTI/EXEC transaction in AOF file ${name}`);
      current.validUpTo = current.validBeforeMulti;
      this.client.queue = null;
      this.client.setGate(Gate.IN_MULTI, false);
    }
    const isTruncated = isCut || isInMulti;
    if (isTruncated && !this.truncate(current)) {
      log.warning(
        `Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, then use bunsen check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.`,
      );
      this.fail(current);
      return;
    }
    if (isTruncated && !current.isLast) {
      log.warning("Fatal error: the truncated file is not the last file");
      this.fail(current);
      return;
    }
    this.wasTruncated = isTruncated;
    const size = current.reader?.size ?? 0;
    this.close(current);
    if (size > 0) this.logLoaded(current);
    this.doneBytes += size;
    if (++this.fileCount < this.manifest.loaded.length) return;
    this.outcome = this.wasTruncated ? "truncated" : "loaded";
  }

  private logLoaded({ file, startedUs }: OpenFile): void {
    const { log, clock } = this.parts;
    const seconds = (clock.monotonicUs() - startedUs) / 1e6;
    const kind = file.type === "b" ? "base" : "incr";
    log.notice(`DB loaded from ${kind} file ${file.name}: ${seconds.toFixed(3)} seconds`);
  }

  /** Cuts the file behind its last complete command. False if that must not or cannot be. */
  private truncate({ file, validUpTo }: OpenFile): boolean {
    const { log, truncates, directory } = this.parts;
    if (!truncates) {
      log.warning(`The append only file ${file.name} is complete up to offset ${validUpTo}`);
      return false;
    }
    const { name } = file;
    log.warning(`!!! Warning: short read while loading the AOF file ${name}!!!`);
    log.warning(`!!! Truncating the AOF ${name} at offset ${validUpTo} !!!`);
    try {
      const descriptor = this.files.open(directory.path(name), "update");
      try {
        this.files.truncate(descriptor, validUpTo);
      } finally {
        this.files.close(descriptor);
      }
    } catch (error) {
      log.warning(`Error truncating the AOF file ${name}: ${textOf(error)}`);
      return false;
    }
    log.warning(`AOF ${name} loaded anyway because aof-load-truncated is enabled`);
    return true;
  }

  private failReading(current: OpenFile, error: unknown): void {
    this.parts.log.warning(
      `Unrecoverable error reading the append only file ${current.file.name}: ${textOf(error)}`,
    );
    this.fail(current);
  }

  private fail(current: OpenFile): void {
    this.close(current);
    this.outcome = "failed";
  }

  private close(current: OpenFile): void {
    this.files.close(current.descriptor);
    this.current = null;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
