/** requirepass: who is let in, and what becomes of those who are connected when it changes. */
import { expect, test } from "bun:test";
import {
  applyPassword,
  authenticate,
  beginUnauthenticated,
} from "../../../src/commands/authentication.ts";
import type { Config } from "../../../src/runtime/config/config.ts";
import { ClientRegistry } from "../../../src/session/client-registry.ts";
import { Client, Gate } from "../../../src/session/client.ts";
import { Pushes } from "../../../src/session/push-log.ts";
import { memoryConfig } from "../../support/memory-config.ts";
import { QUIET_TRANSPORT } from "../../support/quiet-transport.ts";

class Scene {
  readonly config: Config = memoryConfig().config;
  readonly clients = new ClientRegistry(
    () => {},
    () => {},
    new Pushes(
      (run) => run(),
      () => null,
    ),
    1,
    2,
  );

  setPassword(password: string): void {
    expect(this.config.assign("requirepass", password)).toBeNull();
    applyPassword(this.clients, this.config);
  }

  connect(): Client {
    const client = new Client(this.clients.takeId(), "", "", 0, false, QUIET_TRANSPORT, 0);
    beginUnauthenticated(client, this.config);
    this.clients.insert(client);
    return client;
  }

  enter(client: Client, user: string, password: string): boolean {
    return authenticate(client, this.config, user, password);
  }
}

function isLockedOut(client: Client): boolean {
  return (client.gate & Gate.UNAUTHENTICATED) !== 0;
}

test("without a password everybody is in, with any password, as the default user only", () => {
  const scene = new Scene();
  const client = scene.connect();
  expect(isLockedOut(client)).toBe(false);
  expect(scene.enter(client, "default", "whatever")).toBe(true);
  expect(scene.enter(client, "nobody", "whatever")).toBe(false);
  expect(isLockedOut(client)).toBe(false);
});

test("the password opens, and nothing else does", () => {
  const scene = new Scene();
  scene.setPassword("abc\0def");
  const client = scene.connect();
  for (const wrong of ["", "abc", "abc\0de", "abc\0deg", "abc\0deff", "ABC\0DEF"]) {
    expect(scene.enter(client, "default", wrong)).toBe(false);
  }
  expect(scene.enter(client, "nobody", "abc\0def")).toBe(false);
  expect(isLockedOut(client)).toBe(true);
  expect(client.everAuthenticated).toBe(false);
  expect(scene.enter(client, "default", "abc\0def")).toBe(true);
  expect(isLockedOut(client)).toBe(false);
  expect(scene.enter(client, "default", "wrong")).toBe(false);
  expect(isLockedOut(client)).toBe(false);
});

test("a password set later throws nobody out", () => {
  const scene = new Scene();
  const early = scene.connect();
  scene.setPassword("secret");
  const late = scene.connect();
  expect([isLockedOut(early), isLockedOut(late)]).toEqual([false, true]);
  scene.setPassword("another");
  expect([isLockedOut(early), isLockedOut(late)]).toEqual([false, true]);
});

test("removing the password lets in those outside, until the next one is set", () => {
  const scene = new Scene();
  scene.setPassword("secret");
  const client = scene.connect();
  scene.setPassword("");
  expect(isLockedOut(client)).toBe(false);
  expect(client.authenticated).toBe(false);
  scene.setPassword("another");
  expect(isLockedOut(client)).toBe(true);
});

test("RESET takes the authentication back, but not that there was one", () => {
  const scene = new Scene();
  scene.setPassword("secret");
  const client = scene.connect();
  expect(scene.enter(client, "default", "secret")).toBe(true);
  beginUnauthenticated(client, scene.config);
  expect(isLockedOut(client)).toBe(true);
  expect(client.everAuthenticated).toBe(true);
});
