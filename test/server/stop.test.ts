/** How the program stops: signals, once and twice, and SHUTDOWN. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { useProcesses } from "../support/our-process.ts";
import { RespClient } from "../support/resp-client.ts";
import { freePort } from "../support/server-process.ts";

setDefaultTimeout(30_000);
const { start } = useProcesses();

const READY = "Ready to accept connections";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} shuts down in order`, async () => {
    const port = freePort();
    const server = start(["--port", String(port), "--bind", "127.0.0.1"]);
    await server.logged(READY);
    const client = await RespClient.connect(port);
    await client.must("SET", "k", "v");
    server.signal(signal);
    expect(await server.exited()).toBe(0);
    const text = server.text();
    const lines = [
      `Received ${signal} scheduling shutdown...`,
      "User requested shutdown...",
      "ready to exit, bye bye...",
    ];
    const places = lines.map((line) => text.indexOf(line));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(await client.readUntilClosed()).toEqual(new Uint8Array(0));
  });
}

test("a second signal ends it at once", async () => {
  const server = start(["--port", String(freePort()), "--bind", "127.0.0.1"]);
  await server.logged(READY);
  server.signal("SIGINT");
  server.signal("SIGINT");
  // 0 when the first one was done before the second came.
  expect([0, 1]).toContain(await server.exited());
});

test("SHUTDOWN answers nothing, closes and ends", async () => {
  const port = freePort();
  const server = start(["--port", String(port), "--bind", "127.0.0.1"]);
  await server.logged(READY);
  const client = await RespClient.connect(port);
  client.send("SHUTDOWN", "NOSAVE");
  expect(await client.readUntilClosed()).toEqual(new Uint8Array(0));
  expect(await server.exited()).toBe(0);
});
