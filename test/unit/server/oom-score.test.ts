import { describe, expect, test } from "bun:test";
import { FileError, systemFiles } from "../../../src/base/file-system.ts";
import { OomScore } from "../../../src/server/oom-score.ts";

/** The file of Linux, which takes scores from `lowest` on, and what was complained about. */
function setUp(score: number, lowest = -1000) {
  const state = { score, warnings: [] as string[], isMissing: false };
  const files = {
    ...systemFiles,
    open(path: string): number {
      expect(path).toBe("/proc/self/oom_score_adj");
      if (state.isMissing) throw new FileError("ENOENT", "No such file or directory");
      return 7;
    },
    read(_file: number, bytes: Uint8Array): number {
      return Buffer.from(`${state.score}\n`).copy(bytes);
    },
    write(_file: number, bytes: Uint8Array): number {
      const wanted = Number(Buffer.from(bytes).toString());
      if (wanted < lowest) throw new FileError("EACCES", "Permission denied");
      state.score = wanted;
      return bytes.length;
    },
    close() {},
  };
  return { state, oom: new OomScore(files, (text) => state.warnings.push(text)) };
}

describe("the score", () => {
  test("is relative to that from before, absolute, and restored", () => {
    const { oom, state } = setUp(30);
    expect(oom.apply("no", 5)).toBe(true);
    expect(state.score).toBe(30);
    expect(oom.apply("yes", 5)).toBe(true);
    expect(state.score).toBe(35);
    expect(oom.apply("relative", -20)).toBe(true);
    expect(state.score).toBe(10);
    expect(oom.apply("absolute", 100)).toBe(true);
    expect(state.score).toBe(100);
    expect(oom.apply("no", 100)).toBe(true);
    expect(state.score).toBe(30);
  });

  test("stays within what Linux knows", () => {
    const { oom, state } = setUp(900);
    oom.apply("relative", 2000);
    expect(state.score).toBe(1000);
    oom.apply("absolute", -2000);
    expect(state.score).toBe(-1000);
  });

  test("can be refused, which is logged", () => {
    const { oom, state } = setUp(0, 0);
    expect(oom.apply("yes", -5)).toBe(false);
    expect(state.warnings).toEqual(["Unable to write oom_score_adj: Permission denied"]);
    expect(oom.apply("no", -5)).toBe(true);
    expect(state.score).toBe(0);
  });

  test("does not exist on other systems", () => {
    const { oom, state } = setUp(0);
    state.isMissing = true;
    expect(oom.apply("no", 5)).toBe(true);
    expect(oom.apply("yes", 5)).toBe(false);
    expect(state.warnings).toEqual(["Unable to read oom_score_adj: No such file or directory"]);
  });
});
