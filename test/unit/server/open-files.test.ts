import { describe, expect, test } from "bun:test";
import { Log } from "../../../src/runtime/log.ts";
import {
  fitMaxClients,
  maxClientsError,
  parseOpenFilesMax,
} from "../../../src/server/open-files.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { memoryConfig } from "../../support/memory-config.ts";

function fit(maxClients: number, openFilesMax: number) {
  const { config } = memoryConfig();
  const lines: string[] = [];
  const log = new Log(
    1,
    systemClock(),
    () => 0,
    (text) => lines.push(text),
  );
  config.assign("maxclients", String(maxClients));
  const fits = fitMaxClients(config, log, openFilesMax);
  return { fits, maxClients: config.int("maxclients"), text: lines.join("") };
}

describe("maxclients", () => {
  test("stays where there are files enough", () => {
    expect(fit(1000, 1032)).toEqual({ fits: true, maxClients: 1000, text: "" });
    expect(fit(1000, Infinity)).toEqual({ fits: true, maxClients: 1000, text: "" });
  });

  test("is lowered to the files that there are", () => {
    const { fits, maxClients, text } = fit(1000, 1031);
    expect([fits, maxClients]).toEqual([true, 999]);
    expect(text).toContain(
      "You requested maxclients of 1000 requiring at least 1032 max file descriptors.",
    );
    expect(text).toContain(
      "Current maximum open files is 1031. maxclients has been reduced to 999 to compensate for " +
        "low ulimit. If you need higher maxclients increase 'ulimit -n'.",
    );
  });

  test("leaves something for the server itself", () => {
    const { fits, text } = fit(1, 32);
    expect(fits).toBe(false);
    expect(text).toContain(
      "Your current 'ulimit -n' of 32 is not enough for the server to start. " +
        "Please increase your open file limit to at least 33. Exiting.",
    );
  });

  test("cannot be set higher", () => {
    const { config } = memoryConfig();
    config.assign("maxclients", "101");
    expect(maxClientsError(config, 133)).toBeNull();
    expect(maxClientsError(config, 132)).toBe(
      "The operating system is not able to handle the specified number of clients, try with 100",
    );
  });
});

test("Linux's limits are read", () => {
  const limits = (value: string): string =>
    "Limit                     Soft Limit           Hard Limit           Units     \n" +
    `Max open files            ${value}                20000                files     \n` +
    "Max locked memory         8388608              8388608              bytes     \n";
  expect(parseOpenFilesMax(limits("1024"))).toBe(1024);
  expect(parseOpenFilesMax(limits("unlimited"))).toBe(Infinity);
  expect(parseOpenFilesMax("")).toBe(Infinity);
});
