// What clients make of a server besides requests: messages to subscribers, tracked keys, a monitor,
// and connections that only exist.

import { join } from "node:path";
import {
  throughputFigure,
  withServer,
  type AloneFigure,
  type Figure,
  type SharedFigure,
} from "./figure.ts";
import { cpuUsedSince, readCpuTime, readResidentBytes } from "./process-stats.ts";
import type { PublishLoadReport } from "./publish-load.ts";
import { CLIENT_CORE, displayCommand, request, type RunningServer } from "./servers.ts";

const QUICK_DIVISOR = 10;
const PIPELINE = 16;
const REQUESTS = 2_500_000;
const MONITORED_REQUESTS = 1_000_000;
/** Messages that arrive in a run, those of all subscribers together. */
const DELIVERIES = 5_000_000;
const DELIVERIES_ONE = 1_000_000;
const IDLE_CONNECTIONS = 10_000;
/** Open already when the first measurement is taken: what the first ones cost is the server's. */
const WARM_CONNECTIONS = 100;
const OPENING_MAX = 64;
/** How long servers have to shrink the buffers of idle connections. */
const SETTLE_MS = 10_000;

function publishCommand(
  bun: string,
  port: number | "PORT",
  subscribers: number,
  messages: number,
): string[] {
  return [
    "taskset",
    "-c",
    String(CLIENT_CORE),
    bun,
    "bench/publish-load.ts",
    "--port",
    String(port),
    "--subscribers",
    String(subscribers),
    "--messages",
    String(messages),
    "--pipeline",
    String(PIPELINE),
  ];
}

function publishFigure(subscribers: number): SharedFigure {
  const count = subscribers.toLocaleString("en-US");
  const messagesOf = (isQuick: boolean): number => {
    const deliveries = subscribers === 1 ? DELIVERIES_ONE : DELIVERIES;
    return deliveries / subscribers / (isQuick ? QUICK_DIVISOR : 1);
  };
  return {
    kind: "shared",
    group: "clients",
    name: `publish-${subscribers}`,
    title: `PUBLISH to ${count} ${subscribers === 1 ? "subscriber" : "subscribers"}`,
    commands: (isQuick) => [
      displayCommand(publishCommand("bun", "PORT", subscribers, messagesOf(isQuick))),
    ],
    measure: async (server, isQuick) => {
      const messages = messagesOf(isQuick);
      await runPublishLoad(server, subscribers, messages / 2);
      const start = readCpuTime(server.pid);
      const { delivered } = await runPublishLoad(server, subscribers, messages);
      const use = cpuUsedSince(server.pid, start);
      return { delivered: (delivered / use.totalMicros) * 1e6, waited: use.waitedPercent };
    },
  };
}

async function runPublishLoad(
  server: RunningServer,
  subscribers: number,
  messages: number,
): Promise<PublishLoadReport> {
  const command = publishCommand(process.execPath, server.port, subscribers, messages);
  const child = Bun.spawn(command, {
    cwd: join(import.meta.dir, ".."),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`publish-load.ts failed: ${errors}`);
  return JSON.parse(output) as PublishLoadReport;
}

/** Attaches a monitor, whose lines are read and dropped; answers how to detach it. */
async function attachMonitor(server: RunningServer): Promise<() => void> {
  const attached = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: {
      data: () => attached.resolve(),
      close: () => attached.reject(new Error("the server closed the monitor's connection")),
      error: (_, error) => attached.reject(error),
    },
  });
  socket.write("*1\r\n$7\r\nMONITOR\r\n");
  await attached.promise;
  return () => socket.terminate();
}

const IDLE: AloneFigure = {
  kind: "alone",
  group: "clients",
  name: "idle-connections",
  title: `${IDLE_CONNECTIONS.toLocaleString("en-US")} idle connections`,
  isOursOnly: false,
  repeats: () => 1,
  commands: (isQuick) => [
    `${WARM_CONNECTIONS} connections with a PING each; ${idleConnections(isQuick)} more`,
  ],
  measure: (kind, isQuick) =>
    withServer(kind, async (server) => {
      const count = idleConnections(isQuick);
      await request(server.port, [
        "CONFIG",
        "SET",
        "maxclients",
        String(count + 2 * WARM_CONNECTIONS),
      ]);
      const closeWarm = await openConnections(server, WARM_CONNECTIONS);
      await Bun.sleep(SETTLE_MS);
      const before = readResidentBytes(server.pid);
      const closeAll = await openConnections(server, count);
      await Bun.sleep(SETTLE_MS);
      const after = readResidentBytes(server.pid);
      closeAll();
      closeWarm();
      return { bytesPerConnection: (after - before) / count };
    }),
};

function idleConnections(isQuick: boolean): number {
  return isQuick ? IDLE_CONNECTIONS / QUICK_DIVISOR : IDLE_CONNECTIONS;
}

/** Opens connections, each of which has an answer to a PING; answers how to close them. */
async function openConnections(server: RunningServer, count: number): Promise<() => void> {
  const closers: (() => void)[] = [];
  const open = async (): Promise<void> => {
    const answered = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: {
        data(_, bytes) {
          const reply = bytes.toString();
          if (reply === "+PONG\r\n") answered.resolve();
          else answered.reject(new Error(reply));
        },
        close: () => answered.reject(new Error("the server closed a connection")),
        error: (_, error) => answered.reject(error),
      },
    });
    socket.write("*1\r\n$4\r\nPING\r\n");
    closers.push(() => socket.terminate());
    await answered.promise;
  };
  for (let opened = 0; opened < count; opened += OPENING_MAX) {
    await Promise.all(Array.from({ length: Math.min(OPENING_MAX, count - opened) }, open));
  }
  return () => {
    for (const close of closers) close();
  };
}

export const CLIENTS_FIGURES: readonly Figure[] = [
  publishFigure(1),
  publishFigure(100),
  publishFigure(1000),
  throughputFigure("clients", "get-tracked", "GET, 16 in a pipeline, with CLIENT TRACKING on", {
    test: "get",
    pipeline: PIPELINE,
    requests: REQUESTS,
    isTracked: true,
  }),
  throughputFigure(
    "clients",
    "get-monitored",
    "GET, 16 in a pipeline, with one MONITOR",
    { test: "get", pipeline: PIPELINE, requests: MONITORED_REQUESTS },
    { attach: { text: "MONITOR on a connection that is read", run: attachMonitor } },
  ),
  IDLE,
];
