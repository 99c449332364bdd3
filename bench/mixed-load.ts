// Load generator: many clients, GET and SET half and half, one request in flight per client.
//
//   bun bench/mixed-load.ts --port 6379 --clients 50 --keys 10000000 --requests 1000000
//
// redis-benchmark cannot mix commands in one run, and two of them on one core would measure how the
// kernel takes turns between them. The tail of the latencies is what is wanted, so this client must
// have no pauses of its own: it calls epoll, read and write of the C library, works in buffers made
// beforehand, and allocates nothing per request, so that its collector has no reason to run.
//
// The keys are those of DEBUG POPULATE <keys> key 32; a reply other than OK or a value of 32 bytes
// ends the run. Prints one line of JSON.

import { dlopen, ptr, type Pointer } from "bun:ffi";
import { createHistogram } from "node:perf_hooks";
import { parseArgs } from "node:util";

export interface MixedLoadReport {
  requests: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
}

const VALUE_SIZE = 32;
const GET_REPLY_SIZE = 5 + VALUE_SIZE + 2;
const SET_REPLY_SIZE = 5;
// The first part of a run warms up this program and is not recorded.
const WARM_UP_SHARE = 0.1;

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const EPOLLIN = 1;
const EPOLL_CTL_ADD = 1;
// struct epoll_event is packed on x86-64 only: events (4 bytes), data (8 bytes).
const EVENT_SIZE = process.arch === "x64" ? 12 : 16;
const EVENT_DATA = EVENT_SIZE - 8;

const libc = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u32"], returns: "i32" },
  write: { args: ["i32", "ptr", "u32"], returns: "i32" },
}).symbols;

function connectTo(port: number): number {
  const descriptor = libc.socket(AF_INET, SOCK_STREAM, 0);
  const address = new Uint8Array(16);
  address.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1]);
  if (descriptor < 0 || libc.connect(descriptor, address, address.length) !== 0) {
    throw new Error(`cannot connect to port ${port}`);
  }
  libc.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, new Int32Array([1]), 4);
  return descriptor;
}

// Writes requests into one buffer: each is sent whole before the next is made.
class RequestWriter {
  readonly bytes = new Uint8Array(256);
  private readonly digits = new Uint8Array(10);
  private readonly getHead = new TextEncoder().encode("*2\r\n$3\r\nGET\r\n$");
  private readonly setHead = new TextEncoder().encode("*3\r\n$3\r\nSET\r\n$");
  private readonly keyPrefix = new TextEncoder().encode("\r\nkey:");
  private readonly setTail = new TextEncoder().encode(
    `\r\n$${VALUE_SIZE}\r\n${"v".repeat(VALUE_SIZE)}\r\n`,
  );

  // Answers the length of the request.
  write(isSet: boolean, key: number): number {
    let count = 0;
    let rest = key;
    do {
      this.digits[count++] = 48 + (rest % 10);
      rest = (rest / 10) | 0;
    } while (rest > 0);
    const bytes = this.bytes;
    let at = append(bytes, 0, isSet ? this.setHead : this.getHead);
    const keyLength = 4 + count;
    if (keyLength >= 10) bytes[at++] = 49;
    bytes[at++] = 48 + (keyLength % 10);
    at = append(bytes, at, this.keyPrefix);
    while (count > 0) bytes[at++] = this.digits[--count];
    if (isSet) return append(bytes, at, this.setTail);
    bytes[at++] = 13;
    bytes[at++] = 10;
    return at;
  }
}

function append(target: Uint8Array, at: number, source: Uint8Array): number {
  for (let i = 0; i < source.length; i++) target[at + i] = source[i];
  return at + source.length;
}

class MixedLoad {
  private readonly histogram = createHistogram({ lowest: 1, highest: 60e9, figures: 3 });
  private readonly writer = new RequestWriter();
  private readonly reply = new Uint8Array(4096);
  private readonly requestPointer: Pointer = ptr(this.writer.bytes);
  private readonly replyPointer: Pointer = ptr(this.reply);
  private readonly descriptors: Int32Array;
  private readonly sentAt: Float64Array;
  private readonly expected: Int32Array;
  private readonly received: Int32Array;
  private readonly keys: number;
  private random: number;
  private sent = 0;

  constructor(port: number, clients: number, keys: number, seed: number) {
    this.descriptors = new Int32Array(clients).map(() => connectTo(port));
    this.sentAt = new Float64Array(clients);
    this.expected = new Int32Array(clients);
    this.received = new Int32Array(clients);
    this.keys = keys;
    this.random = seed | 1;
  }

  run(requests: number): MixedLoadReport {
    const clients = this.descriptors.length;
    const epoll = libc.epoll_create1(0);
    const events = new Uint8Array(EVENT_SIZE * clients);
    const view = new DataView(events.buffer);
    for (let i = 0; i < clients; i++) {
      view.setUint32(0, EPOLLIN, true);
      view.setUint32(EVENT_DATA, i, true);
      libc.epoll_ctl(epoll, EPOLL_CTL_ADD, this.descriptors[i], events);
    }
    const eventsPointer = ptr(events);
    const warmUp = Math.floor(requests * WARM_UP_SHARE);
    let recordedFrom = Bun.nanoseconds();
    let done = 0;
    for (let i = 0; i < clients; i++) this.send(i);
    while (done < requests) {
      const count = libc.epoll_wait(epoll, eventsPointer, clients, -1);
      for (let e = 0; e < count; e++) {
        const client = view.getUint32(e * EVENT_SIZE + EVENT_DATA, true);
        if (!this.receive(client)) continue;
        const now = Bun.nanoseconds();
        if (done++ === warmUp) recordedFrom = now;
        if (done > warmUp) this.histogram.record(now - this.sentAt[client]);
        if (this.sent < requests) this.send(client);
      }
    }
    return this.report(requests, (requests - warmUp) / (Bun.nanoseconds() - recordedFrom));
  }

  private report(requests: number, requestsPerNanosecond: number): MixedLoadReport {
    const { histogram } = this;
    return {
      requests,
      requestsPerSecond: requestsPerNanosecond * 1e9,
      p50Ms: histogram.percentile(50) / 1e6,
      p99Ms: histogram.percentile(99) / 1e6,
      p999Ms: histogram.percentile(99.9) / 1e6,
      maxMs: histogram.max / 1e6,
    };
  }

  private send(client: number): void {
    const isSet = (this.nextRandom() & 0x10000) !== 0;
    const length = this.writer.write(isSet, this.nextRandom() % this.keys);
    this.expected[client] = isSet ? SET_REPLY_SIZE : GET_REPLY_SIZE;
    this.received[client] = 0;
    this.sent++;
    this.sentAt[client] = Bun.nanoseconds();
    if (libc.write(this.descriptors[client], this.requestPointer, length) !== length) {
      throw new Error("a request was not written whole");
    }
  }

  // Answers whether the reply is complete.
  private receive(client: number): boolean {
    const size = libc.read(this.descriptors[client], this.replyPointer, this.reply.length);
    const expected = this.expected[client];
    const received = this.received[client] + size;
    // "+" of OK, or "$" of a value; a missing key answers "$-1", shorter than any value.
    const type = expected === SET_REPLY_SIZE ? 43 : 36;
    const isRight = this.received[client] > 0 || this.reply[0] === type;
    const isMissing = type === 36 && this.received[client] === 0 && this.reply[1] === 45;
    if (size <= 0 || received > expected || !isRight || isMissing) {
      const text = Buffer.from(this.reply.buffer, 0, Math.max(size, 0)).toString("latin1");
      throw new Error(`unexpected reply: ${JSON.stringify(text)}`);
    }
    this.received[client] = received;
    return received === expected;
  }

  // xorshift32: the sequence only has to spread over the keys and be the same for every server.
  private nextRandom(): number {
    let x = this.random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.random = x;
    return x >>> 0;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: "string" },
      clients: { type: "string", default: "50" },
      keys: { type: "string", default: "10000000" },
      requests: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
    },
  });
  const load = new MixedLoad(
    Number(values.port),
    Number(values.clients),
    Number(values.keys),
    Number(values.seed),
  );
  console.log(JSON.stringify(load.run(Number(values.requests))));
}
