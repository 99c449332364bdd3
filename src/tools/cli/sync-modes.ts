/**
 * --replica, --rdb and --functions-rdb: the client as a replica of the server.
 *
 * SYNC is answered by a snapshot, either `$<bytes>` and so many bytes, or `$EOF:<40 bytes>` and a
 * snapshot that ends with these 40 bytes; then the stream of commands follows. What the reader of
 * replies has not been given is taken from the connection as it came.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import type { Connection } from "../connection.ts";
import { systemText } from "../connection.ts";
import { fromByteString } from "../../runtime/config/byte-string.ts";
import { CliExit, fail, printError, writeAll } from "./console.ts";
import type { Session } from "./session.ts";

/** The head of a snapshot: its length, or the mark at its end; neither if the stream goes on. */
interface SnapshotHead {
  readonly isFull: boolean;
  readonly size: number;
  readonly endMark: Uint8Array | null;
}

const END_MARK_BYTES = 40;
const LINE_BYTES_MAX = 4096;
const ACKNOWLEDGE_AFTER_MS = 1000;
const STDOUT = 1;
const NO_BYTES = new Uint8Array(0);

export async function replicaMode(session: Session): Promise<void> {
  await session.mustConnect();
  await announce(session, "capa", "eof");
  await announce(session, "rdb-filter-only", "");
  await showReplicationStream(session, true);
}

/** Skips the snapshot and prints the commands of the stream, until the connection ends. */
export async function showReplicationStream(session: Session, sendsSync: boolean): Promise<never> {
  const connection = connectionOf(session);
  const head = await readSnapshotHead(connection, sendsSync);
  const kind = head.isFull ? "Full resync" : "Partial resync";
  if (!head.isFull) {
    printError(`${kind} with primary...\n`);
  } else if (head.endMark !== null) {
    printError(`${kind} with primary, discarding bytes of bulk transfer until EOF marker...\n`);
  } else {
    printError(`${kind} with primary, discarding ${head.size} bytes of bulk transfer...\n`);
  }
  if (head.isFull) {
    const size = await readSnapshot(connection, head, () => {});
    if (size === null) fail(`Error reading RDB payload while ${kind}ing\n`);
    if (head.endMark === null) {
      printError(`${kind} done. Logging commands from primary.\n`);
    } else {
      printError(`${kind} done after ${size} bytes. Logging commands from primary.\n`);
      // Without an acknowledgement the replica stays offline, and one that comes before the primary
      // has seen its snapshot off is lost. There is no reply to it.
      await Bun.sleep(ACKNOWLEDGE_AFTER_MS);
      printError("sending REPLCONF ACK 0\n");
      connection.send(Buffer.from("REPLCONF ACK 0\r\n"));
    }
  }
  const { style } = session;
  session.style = { ...style, mode: "csv" };
  try {
    while (true) await session.readAndPrint();
  } finally {
    session.style = style;
  }
}

/** Fetches a snapshot into a file, or to standard output if its name is "-". */
export async function dumpMode(session: Session, isFunctionsOnly: boolean): Promise<void> {
  await session.mustConnect();
  await announce(session, "capa", "eof");
  await announce(session, "rdb-only", "1");
  if (isFunctionsOnly && !(await announce(session, "rdb-filter-only", "functions"))) {
    fail("Failed requesting functions only RDB from server, aborting\n");
  }
  const connection = connectionOf(session);
  const head = await readSnapshotHead(connection, true);
  const name = session.options.dumpFile;
  printError(
    head.endMark === null
      ? `SYNC sent to primary, writing ${head.size} bytes to '${name}'\n`
      : `SYNC sent to primary, writing bytes of bulk transfer until EOF marker to '${name}'\n`,
  );
  const descriptor = name === "-" ? STDOUT : openForWriting(name);
  const size = await readSnapshot(connection, head, (bytes) => writeAll(descriptor, bytes));
  if (size === null) fail("I/O Error reading RDB payload from socket\n");
  session.disconnect();
  if (descriptor !== STDOUT) {
    // An older file of that name may have been longer.
    ftruncateSync(descriptor, size);
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
  const after = head.endMark === null ? "." : ` after ${size} bytes`;
  printError(`Transfer finished with success${after}\n`);
  throw new CliExit(0);
}

/** REPLCONF; false after a message if the server does not know it. */
async function announce(session: Session, name: string, value: string): Promise<boolean> {
  printError(`sending REPLCONF ${name} ${value}\n`);
  const reply = await session.request("REPLCONF", name, value);
  if (reply.type !== "error") return true;
  printError(`REPLCONF ${name} error: ${reply.text}\n`);
  return false;
}

async function readSnapshotHead(connection: Connection, sendsSync: boolean): Promise<SnapshotHead> {
  if (sendsSync) connection.send(Buffer.from("SYNC\r\n"));
  let line = await readLine(connection);
  if (line.startsWith("-")) fail(`SYNC with primary failed: ${line}\n`);
  if (/^\+(FULLRESYNC|CONTINUE)/.test(line)) {
    printError(`PSYNC replied ${line}\n`);
    if (line.startsWith("+CONTINUE")) return { isFull: false, size: 0, endMark: null };
    line = await readLine(connection);
  }
  const mark = /^\$EOF:(.{40})/s.exec(line)?.[1];
  if (mark !== undefined) return { isFull: true, size: 0, endMark: Buffer.from(mark, "latin1") };
  return { isFull: true, size: Number(/^\$(\d+)/.exec(line)?.[1] ?? 0), endMark: null };
}

/** A line without its end; empty lines, by which a primary keeps the link alive, are passed over. */
async function readLine(connection: Connection): Promise<string> {
  let line = "";
  while (line.length < LINE_BYTES_MAX) {
    const chunk = await connection.readChunk();
    if (chunk === null) fail("Error reading bulk length while SYNCing\n");
    const end = chunk.indexOf(0x0a);
    line += Buffer.from(chunk.subarray(0, end < 0 ? chunk.length : end)).toString("latin1");
    if (end < 0) continue;
    connection.unread(chunk.subarray(end + 1));
    line = line.replace(/\r$/, "");
    if (line !== "") return line;
  }
  return line;
}

/** Hands a snapshot to `take` and returns its size, or null if the connection ended before. */
async function readSnapshot(
  connection: Connection,
  head: SnapshotHead,
  take: (bytes: Uint8Array) => void,
): Promise<number | null> {
  if (head.endMark !== null) return readUntilMark(connection, head.endMark, take);
  for (let left = head.size; left > 0;) {
    const chunk = await connection.readChunk();
    if (chunk === null) return null;
    take(chunk.subarray(0, left));
    connection.unread(chunk.subarray(left));
    left -= Math.min(left, chunk.length);
  }
  return head.size;
}

async function readUntilMark(
  connection: Connection,
  mark: Uint8Array,
  take: (bytes: Uint8Array) => void,
): Promise<number | null> {
  let size = 0;
  // What could be the beginning of the mark is kept back.
  let kept: Uint8Array = NO_BYTES;
  while (true) {
    const chunk = await connection.readChunk();
    if (chunk === null) return null;
    const bytes = Buffer.concat([kept, chunk]);
    const at = bytes.indexOf(mark);
    const end = at >= 0 ? at : Math.max(0, bytes.length - END_MARK_BYTES + 1);
    take(bytes.subarray(0, end));
    size += end;
    if (at >= 0) {
      connection.unread(bytes.subarray(at + END_MARK_BYTES));
      return size;
    }
    kept = bytes.subarray(end);
  }
}

function openForWriting(name: string): number {
  try {
    return openSync(fromByteString(name), "w", 0o644);
  } catch (error) {
    return fail(`Error opening '${name}': ${systemText(error)}\n`);
  }
}

function connectionOf(session: Session): Connection {
  if (session.connection === null) throw new CliExit(1);
  return session.connection;
}
