/** `bunsen check-aof` beside valkey-check-aof: the same output, exit code and file afterwards. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemFiles } from "../../src/base/file-system.ts";
import { AofCheck, CheckExit } from "../../src/tools/check-aof/aof-check.ts";
import { describeWithPeers, getPeer } from "../support/peers.ts";
import { seedOfRun, withSeed } from "../support/seed.ts";

interface Outcome {
  readonly output: string;
  readonly code: number;
  readonly files: readonly string[];
}

const RANDOM_FILES = 60;

setDefaultTimeout(60_000);

function resp(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

function ours(path: string, options: readonly string[], answer: string): [string, number] {
  let output = "";
  const seconds = options[0] === "--truncate-to-timestamp" ? Number(options[1]) : 0;
  const check = new AofCheck(
    {
      files: systemFiles,
      print: (text) => (output += text),
      log: (message) => (output += `${message}\n`),
      ask: () => answer,
      checkRdb: () => null,
    },
    { fixes: options[0] === "--fix", untilSeconds: seconds, toolName: "valkey-check-aof" },
  );
  try {
    check.run(path);
    return [output, 0];
  } catch (error) {
    if (error instanceof CheckExit) return [output, error.code];
    throw error;
  }
}

function theirs(path: string, options: readonly string[], answer: string): [string, number] {
  const child = Bun.spawnSync([getPeer("valkey-check-aof"), ...options, path], {
    stdin: new TextEncoder().encode(answer),
    stdout: "pipe",
    stderr: "pipe",
  });
  // Lines of the log begin with the process and the time.
  const output = child.stdout.toString("latin1").replace(/^\d+:C .*? # /gm, "");
  return [output, child.exitCode];
}

describeWithPeers("bunsen check-aof", ["valkey-check-aof"], () => {
  /** Runs a tool over fresh files, of which the first is named. */
  function outcomeOf(
    tool: typeof ours,
    contents: Readonly<Record<string, string>>,
    options: readonly string[],
    answer: string,
  ): Outcome {
    const folder = mkdtempSync(join(tmpdir(), "bunsen-check-"));
    try {
      const names = Object.keys(contents);
      for (const name of names) writeFileSync(join(folder, name), contents[name], "latin1");
      const [output, code] = tool(join(folder, names[0]), options, answer);
      const files = names.map((name) => readFileSync(join(folder, name), "latin1"));
      // What follows the end of a line that is too short is whatever was in memory.
      const shown = output.replace(/got: 00[0-9a-f]+/, "got: 00").replaceAll(folder, "(folder)");
      return { output: shown, code, files };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  function compare(
    contents: Readonly<Record<string, string>>,
    options: readonly string[] = [],
    answer = "y\n",
  ): Outcome {
    const outcome = outcomeOf(ours, contents, options, answer);
    expect(outcome).toEqual(outcomeOf(theirs, contents, options, answer));
    return outcome;
  }

  const text =
    resp("set", "a", "1") +
    resp("multi") +
    resp("incr", "a") +
    resp("exec") +
    `#TS:1628217470\r\n${resp("set", "b", "2")}#TS:1628217472\r\n${resp("set", "c", "\r\n")}`;

  test("says the same of a file cut at any length, and fixes it as well", () => {
    for (let length = 0; length <= text.length; length += 5) {
      compare({ file: text.slice(0, length) });
      compare({ file: text.slice(0, length) }, ["--fix"]);
    }
    expect(compare({ file: text }).output).toContain("is valid");
    expect(compare({ file: text.slice(0, -1) }, ["--fix"], "n\n").code).toBe(1);
  });

  test("says the same of damaged files", () =>
    withSeed("test/differential/check-aof.test.ts", seedOfRun(), (random) => {
      for (let i = 0; i < RANDOM_FILES; i++) {
        const bytes = Buffer.from(text, "latin1");
        for (let j = 1 + random.below(2); j > 0; j--) {
          // No NUL: texts of C end there.
          bytes[random.below(bytes.length)] = random.pick([
            1 + random.below(255),
            0x2a,
            0x24,
            0x39,
          ]);
        }
        compare({ file: bytes.toString("latin1") }, random.oneIn(3) ? ["--fix"] : []);
      }
    }));

  test.each(["1628217469", "1628217470", "1628217471", "1628217472", "9999999999"])(
    "cuts the same off at %s",
    (seconds) => {
      compare({ file: text }, ["--truncate-to-timestamp", seconds]);
      compare({ file: `#TS:1628217470\r\n${text}` }, ["--truncate-to-timestamp", seconds]);
    },
  );

  test("says the same of files with a manifest", () => {
    const base = "file base seq 1 type b\n";
    const increments = "file one seq 1 type i\nfile two seq 2 type i\n";
    const cut = text.slice(0, -3);
    const files = { base: text, one: text, two: text };
    expect(compare({ manifest: base + increments, ...files }).code).toBe(0);
    compare({ manifest: base + increments, ...files, two: cut }, ["--fix"]);
    compare({ manifest: base + increments, ...files, one: cut }, ["--fix"]);
    compare({ manifest: base + increments, ...files, base: "" });
    compare({ manifest: base, ...files, base: cut }, ["--fix"]);
    compare({ manifest: `# text\n${increments}`, ...files }, [
      "--truncate-to-timestamp",
      "1628217471",
    ]);
    compare({ manifest: base + increments, base: text, one: text });
    for (const wrong of ["!!!\n", "file x seq 1\n", base, "file a/b seq 9 type i\n", "file"]) {
      compare({ manifest: base + increments + wrong, ...files });
    }
  });
});
