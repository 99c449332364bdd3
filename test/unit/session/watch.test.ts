import { describe, expect, test } from "bun:test";
import { type KeyState, WatchRegistry } from "../../../src/session/watch.ts";
import { listeningClient } from "../../support/listening-client.ts";

const KEY = Buffer.from("key");

function watching(wasExpired: boolean) {
  const watches = new WatchRegistry();
  const { client } = listeningClient(1, 2);
  watches.watch(client, 0, KEY, wasExpired);
  return { watches, client, watched: client.watched[0] };
}

describe("a change of a key", () => {
  test("marks who watches it in that database", () => {
    const { watches, client } = watching(false);
    watches.touch(1, KEY, 0, KEY.length, false);
    watches.touch(0, KEY, 0, KEY.length - 1, false);
    expect(client.watchBroken).toBe(false);
    watches.touch(0, KEY, 0, KEY.length, false);
    expect(client.watchBroken).toBe(true);
  });

  test("is none for whom it had expired already, when it is removed at last", () => {
    const { watches, client, watched } = watching(true);
    watches.touch(0, KEY, 0, KEY.length, true);
    expect(client.watchBroken).toBe(false);
    expect(watched.wasExpired).toBe(false);
    watches.touch(0, KEY, 0, KEY.length, false);
    expect(client.watchBroken).toBe(true);
  });

  test("concerns nobody who has given up watching", () => {
    const { watches, client } = watching(false);
    expect(client.nameBytes).toBe(KEY.length);
    watches.unwatch(client);
    expect(client.nameBytes).toBe(0);
    expect(watches.keyCount).toBe(0);
    watches.touch(0, KEY, 0, KEY.length, false);
    expect(client.watchBroken).toBe(false);
  });
});

describe("a database that is emptied or exchanged", () => {
  const cases: [
    wasExpired: boolean,
    before: KeyState,
    after: KeyState,
    broken: boolean,
    now: boolean,
  ][] = [
    [false, "missing", "missing", false, false],
    [false, "alive", "missing", true, false],
    [false, "missing", "alive", true, false],
    [false, "alive", "expired", true, false],
    [false, "expired", "missing", true, false],
    [false, "missing", "expired", false, true],
    [true, "expired", "missing", false, false],
    [true, "expired", "expired", false, true],
    [true, "expired", "alive", true, true],
  ];
  for (const [wasExpired, before, after, broken, now] of cases) {
    const first = wasExpired ? "expired when it was watched" : "watched";
    test(`${first}, ${before} before, ${after} after: ${broken ? "changed" : "not changed"}`, () => {
      const { watches, client, watched } = watching(wasExpired);
      watches.touchDatabase(1, () => ["alive", "alive"]);
      expect(client.watchBroken).toBe(false);
      watches.touchDatabase(0, (key) => {
        expect(Buffer.from(key).toString()).toBe("key");
        return [before, after];
      });
      expect(client.watchBroken).toBe(broken);
      expect(watched.wasExpired).toBe(now);
    });
  }
});
