/**
 * Judges a server executable with Valkey's own Tcl suite: the units of units.txt, less the tests
 * of skips.txt; then once more the units of tool-units.txt, with the executable itself in place of
 * valkey-cli, valkey-benchmark and the like.
 *
 *     bun test/suite/run.ts [--jobs N] [--tools] [executable, default dist/bunsen] [unit ...]
 *
 * --tools: the named units with our tools.
 *
 * The work is done by ../shared/suite/run-suite.sh, which runs the units unmodified. This script
 * adds the list of skipped tests, checks it (each has a reason, and its name is really in the
 * unit's source), and counts a skipped test as skipped, where the runner would count it as one
 * that should have run. Exit code 0 only if nothing failed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { peersFolder } from "../support/peers.ts";

interface Skip {
  readonly unit: string;
  /** The test's name, a regular expression between slashes, or "tag:" and a tag of its blocks. */
  readonly name: string;
  readonly reason: string;
}

interface UnitResult {
  readonly unit: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly abort: string;
  readonly seconds: number;
  /** Names of the tests that failed or did not run. */
  readonly failures: readonly string[];
  /** What the suite says of the failures. */
  readonly messages: readonly string[];
}

const HERE = import.meta.dir;
const ROOT = resolve(HERE, "../..");
const RUNNER = process.env.SUITE_RUNNER ?? resolve(ROOT, "../shared/suite/run-suite.sh");
const SUITE_FOLDER = join(peersFolder(), "suite", "valkey");
/** Marks where a test's name holds Tcl that is substituted when the test runs. */
const SUBSTITUTED = /\$\{[^}]*\}|\$[A-Za-z_:0-9]+(?:\([^)]*\))?|\[[^\]]*\]/g;

/** Behind a unit's name: run with our tools. */
const OUR_TOOLS_MARK = " (our tools)";
/** What our executable can be, by the names that the suite calls. */
const OUR_TOOLS = ["valkey-cli", "valkey-benchmark", "valkey-check-aof"];

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const rest = [...args];
  const jobsAt = rest.indexOf("--jobs");
  const jobs = jobsAt >= 0 ? rest.splice(jobsAt, 2)[1] : "1";
  const toolsAt = rest.indexOf("--tools");
  if (toolsAt >= 0) rest.splice(toolsAt, 1);
  const executable = resolve(rest.shift() ?? join(ROOT, "dist", "bunsen"));
  const isWhole = rest.length === 0;
  const units = isWhole ? readUnits("units.txt") : toolsAt < 0 ? rest : [];
  const toolUnits = isWhole ? readUnits("tool-units.txt") : toolsAt < 0 ? [] : rest;
  const skips = readSkips();
  const problems = checkSkips(skips);
  if (!existsSync(RUNNER)) problems.push(`${RUNNER} not found (SUITE_RUNNER names another)`);
  if (!existsSync(SUITE_FOLDER)) problems.push(`no suite in ${SUITE_FOLDER}: install the peers`);
  if (!existsSync(executable)) problems.push(`${executable} not found: build it first`);
  if (problems.length > 0) {
    console.error(problems.join("\n"));
    return 2;
  }
  const results: UnitResult[] = [];
  for (const group of groupUnits(units, skips)) {
    results.push(...runUnits(executable, group, skips, jobs, null));
  }
  const tools = toolUnits.length > 0 ? linkTools(executable) : null;
  const ourToolsSkips = skips
    .filter((skip) => skip.unit.endsWith(OUR_TOOLS_MARK))
    .map((skip) => ({ ...skip, unit: sourceUnit(skip.unit) }));
  for (const group of groupUnits(toolUnits, ourToolsSkips)) {
    results.push(...runUnits(executable, group, ourToolsSkips, jobs, tools));
  }
  if (tools !== null) rmSync(tools, { recursive: true });
  return report(results);
}

/** The unit as the suite knows it, of a skip that is for the run with our tools alone. */
function sourceUnit(unit: string): string {
  return unit.endsWith(OUR_TOOLS_MARK) ? unit.slice(0, -OUR_TOOLS_MARK.length) : unit;
}

/** A folder in which the tools' names are links to our executable. */
function linkTools(executable: string): string {
  const folder = mkdtempSync(join(tmpdir(), "bunsen-tools-"));
  for (const name of OUR_TOOLS) symlinkSync(executable, join(folder, name));
  return folder;
}

/** Units without skips run together; the others one by one, since a skip is the run's, not a unit's. */
function groupUnits(units: readonly string[], skips: readonly Skip[]): readonly string[][] {
  const hasSkips = (unit: string) => skips.some((skip) => skip.unit === unit);
  const together = units.filter((unit) => !hasSkips(unit));
  const alone = units.filter(hasSkips).map((unit) => [unit]);
  return together.length > 0 ? [together, ...alone] : alone;
}

function runUnits(
  executable: string,
  units: readonly string[],
  skips: readonly Skip[],
  jobs: string,
  tools: string | null,
): readonly UnitResult[] {
  const output = mkdtempSync(join(tmpdir(), "bunsen-suite-"));
  const skipOptions = skips
    .filter((skip) => units.includes(skip.unit) && tagOf(skip) === null)
    .flatMap((skip) => [
      "-k",
      skip.name.startsWith("/") ? skip.name.replace(/\/$/, "") : skip.name,
    ]);
  const deniedTags = skips
    .filter((skip) => units.includes(skip.unit))
    .map(tagOf)
    .filter((tag) => tag !== null);
  const command = [
    RUNNER,
    "-S",
    "valkey",
    "-j",
    jobs,
    "-o",
    output,
    ...skipOptions,
    ...(deniedTags.length > 0 ? ["-T", deniedTags.map((tag) => `-${tag}`).join(" ")] : []),
    executable,
    ...units,
  ];
  const { exitCode } = Bun.spawnSync(command, {
    env: { ...process.env, ...(tools !== null && { TOOLS: tools }) },
    stdout: "inherit",
    stderr: "inherit",
  });
  if (!existsSync(join(output, "results.tsv"))) {
    throw new Error(`the runner ended with ${exitCode} and left no results`);
  }
  const results = readResults(output, skips);
  if (results.every((result) => result.failed === 0)) rmSync(output, { recursive: true });
  if (tools === null) return results;
  return results.map((result) => ({ ...result, unit: result.unit + OUR_TOOLS_MARK }));
}

/** Columns: unit ok err xfail skip notrun abort secs base_ok. */
function readResults(folder: string, skips: readonly Skip[]): readonly UnitResult[] {
  const failures = readTable(join(folder, "failed.tsv"));
  const tests = readTable(join(folder, "tests.tsv"));
  return readTable(join(folder, "results.tsv"))
    .slice(1)
    .map((row) => {
      const [unit, ok, err, xfail, skip, notrun, abort, seconds] = row;
      const matches = (name: string) =>
        skips.some((each) => each.unit === unit && skipMatches(each, name));
      const notRun = failures
        .filter((each) => each[0] === unit && each[1] === "notrun")
        .map((each) => each[2]);
      const excused = notRun.filter(matches);
      const announced = tests.filter(
        (each) => each[0] === unit && each[1] === "skip" && matches(each[2]),
      );
      // Tests that the reference does not pass may run here, so the count alone says too little.
      const missing = Math.max(notRun.length, Number(notrun)) - excused.length;
      const failed = Number(err) + missing;
      const aborted = abort !== "-" && failed === 0 ? 1 : 0;
      const named = failures
        .filter((each) => each[0] === unit && /^(err|errx|exception)$/.test(each[1]))
        .map((each) => each[2]);
      return {
        unit,
        passed: Number(ok),
        failed: failed + aborted,
        skipped: Number(skip) + Number(xfail) + Math.max(0, excused.length - announced.length),
        abort,
        seconds: Number(seconds),
        failures: [
          ...named,
          ...notRun.filter((name) => !matches(name)).map((name) => `(not run) ${name}`),
        ],
        messages: failed + aborted > 0 ? readMessages(folder, unit) : [],
      };
    });
}

/** The lines of a unit's log that begin with [err] or [exception], each with the one after it. */
function readMessages(folder: string, unit: string): readonly string[] {
  const log = join(folder, "logs", `${unit.replaceAll("/", "__")}.log`);
  const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
  return lines.flatMap((line, i) =>
    /^\[(err|exception)\]/.test(line) ? [line, lines[i + 1] ?? ""] : [],
  );
}

function report(results: readonly UnitResult[]): number {
  const total = { passed: 0, failed: 0, skipped: 0 };
  console.log(`\n${"unit".padEnd(40)} passed failed skipped  abort  secs`);
  for (const result of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    const numbers = [result.passed, result.failed, result.skipped].map((n) =>
      String(n).padStart(6),
    );
    console.log(
      `${result.unit.padEnd(40)} ${numbers.join(" ")} ${result.abort.padStart(7)} ${String(result.seconds).padStart(5)}`,
    );
    for (const name of result.failures) console.log(`  failed: ${result.unit}: ${name}`);
    for (const message of result.messages) console.log(`  failed: ${message}`);
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function readSkips(): readonly Skip[] {
  return readLines("skips.txt").map((line) => {
    const [unit = "", name = "", reason = ""] = line.split("\t").map((field) => field.trim());
    return { unit, name, reason };
  });
}

function checkSkips(skips: readonly Skip[]): string[] {
  const problems: string[] = [];
  for (const skip of skips) {
    const where = `skips.txt: ${skip.unit}: ${skip.name}`;
    if (skip.name === "" || skip.reason === "")
      problems.push(`${where}: name and reason are needed`);
    else if (!isInSource(skip)) problems.push(`${where}: no such test in the unit's source`);
  }
  return problems;
}

function isInSource(skip: Skip): boolean {
  const file = join(SUITE_FOLDER, "tests", `${sourceUnit(skip.unit)}.tcl`);
  if (!existsSync(file)) return false;
  const source = readFileSync(file, "utf8");
  const tag = tagOf(skip);
  if (tag !== null) return new RegExp(`\\btags\\b.*\\b${tag}\\b`).test(source);
  const names = [...source.matchAll(/\btest\w*\s+(?:\{([^}]*)\}|"((?:[^"\\]|\\.)*)")/g)];
  return names.some((match) => {
    const literal = match[1];
    if (literal !== undefined) return skipMatches(skip, literal);
    const name = match[2];
    if (skip.name.startsWith("/")) return skipMatches(skip, name);
    const parts = name
      .split(SUBSTITUTED)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(skip.name);
  });
}

/** The tag of blocks that a line skips as a whole, which is for those whose set-up fails; or null. */
function tagOf(skip: Skip): string | null {
  return skip.name.startsWith("tag:") ? skip.name.slice("tag:".length) : null;
}

function skipMatches(skip: Skip, name: string): boolean {
  if (!skip.name.startsWith("/")) return skip.name === name;
  return new RegExp(skip.name.slice(1).replace(/\/$/, "")).test(name);
}

function readUnits(file: string): readonly string[] {
  return readLines(file).map((line) => line.trim());
}

function readLines(file: string): readonly string[] {
  return readFileSync(join(HERE, file), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

function readTable(file: string): readonly string[][] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}
