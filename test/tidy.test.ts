/**
 * The house rules that neither the compiler nor the linter knows, as tests.
 *
 * Files are parsed, so a word in a comment or in a string is never mistaken for code. A finding
 * reads `path:line: what is wrong`; the test fails with the whole list.
 *
 * HOT PATH files: what allocates per request, or keeps the compiler from optimising, is refused
 * inside functions. Constructors, field initialisers, module level, `throw` and `if (DEBUG)` are
 * free. A function or statement that does not run per request says so in the comment directly above
 * it, with `COLD: reason`, and is left out.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync, type Comment, type ParseResult } from "oxc-parser";
import { WORKER_ENTRY_POINTS } from "../build.ts";

const ROOT = join(import.meta.dir, "..");

/** A file imports its own folder or a folder of a lower layer; equal layers stay apart. */
const LAYERS: Record<string, number> = {
  "src/base": 0,
  "src/memory": 1,
  "src/protocol": 1,
  "src/structures": 2,
  "src/types": 3,
  "src/keyspace": 4,
  "src/session": 5,
  "src/runtime": 5,
  "src/persistence": 5,
  "src/propagation": 5,
  "src/scripting": 5,
  "src/commands": 6,
  "src/dispatch": 7,
  "src/server": 8,
  "src/tools": 8,
  src: 9,
};

const HEADER_CHARACTERS_MIN = 20;

const LINES_MAX = 1200;
/** Files that may be longer, each with the reason. */
const LONG_FILES: Record<string, string> = {};

const TIME_AND_CHANCE_FILES = ["src/base/clock.ts", "src/base/prng.ts"];
const TIME_AND_CHANCE = [
  "Date.now",
  "Math.random",
  "performance.now",
  "Bun.nanoseconds",
  "process.hrtime",
  "crypto.getRandomValues",
  "crypto.randomUUID",
];

const HOT_PATH_MARK = "// HOT PATH: rules in src/README.md";
const COLD_MARK = "COLD: ";
const HOT_BANNED_CONSTRUCTORS = [
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "Array",
  "Object",
  "Date",
  "Promise",
  "RegExp",
  "TextDecoder",
  "TextEncoder",
];
const HOT_BANNED_METHODS = [
  "map",
  "filter",
  "forEach",
  "reduce",
  "flatMap",
  "some",
  "every",
  "split",
  "replace",
  "replaceAll",
  "match",
];

interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly parsed: ParseResult;
  /** Paths of the imported files of this repository, `import type` and re-exports included. */
  readonly imports: readonly string[];
  /** The same without what is erased before the program runs. */
  readonly valueImports: readonly string[];
}

/** A node of the syntax tree, as far as these checks look at it. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

const files = findFiles("{src,test,bench}/**/*.ts").concat(findFiles("*.ts"));
const fileByPath = new Map(files.map((file) => [file.path, file]));
const sources = files.filter((file) => file.path.startsWith("src/"));
const programSources = sources.filter((file) => !file.path.endsWith(".d.ts"));
const hotSources = programSources.filter((file) => file.text.startsWith(HOT_PATH_MARK));

describe("imports", () => {
  test("follow the layers", () => {
    const findings: string[] = [];
    for (const file of programSources) {
      const folder = posix.dirname(file.path);
      const layer = layerOf(folder);
      if (layer === undefined) {
        findings.push(`${file.path}: its folder has no layer, see LAYERS`);
        continue;
      }
      for (const imported of file.imports) {
        const other = posix.dirname(imported);
        const isBelow = (layerOf(other) ?? Infinity) < layer;
        if (layerFolder(other) !== layerFolder(folder) && !isBelow) {
          findings.push(`${file.path}: imports ${imported}, which is not below it`);
        }
      }
    }
    expect(findings).toEqual([]);
  });

  test("name an existing file with its extension", () => {
    const findings = files.flatMap((file) =>
      file.imports
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${file.path}: imports ${path}, which is no file`),
    );
    expect(findings).toEqual([]);
  });

  test("have no cycle", () => {
    expect(findCycles()).toEqual([]);
  });

  test("reach every source file", () => {
    const roots = ["src/main.ts", ...WORKER_ENTRY_POINTS];
    const reached = new Set<string>();
    const open = files.map((file) => file.path).filter((path) => !path.startsWith("src/"));
    for (open.push(...roots); open.length > 0;) {
      const path = open.pop()!;
      if (reached.has(path)) continue;
      reached.add(path);
      open.push(...(fileByPath.get(path)?.imports ?? []));
    }
    const unused = programSources.map((file) => file.path).filter((path) => !reached.has(path));
    expect(unused).toEqual([]);
  });

  // One bundle holds them all, and its static imports are loaded when the server starts.
  test("of tools take from the runtime what the server takes, the rest when it is needed", () => {
    const runtimeModules = (file: SourceFile): string[] =>
      file.parsed.module.staticImports
        .map((statement) => statement.moduleRequest.value)
        .filter((specifier) => !specifier.startsWith("."));
    const isTool = (file: SourceFile): boolean => file.path.startsWith("src/tools/");
    const ofServer = new Set(
      programSources.filter((file) => !isTool(file)).flatMap(runtimeModules),
    );
    const findings = programSources.filter(isTool).flatMap((file) =>
      runtimeModules(file)
        .filter((name) => name !== "bun" && !ofServer.has(name))
        .map((name) => `${file.path}: imports ${name}: use await import("${name}")`),
    );
    expect(findings).toEqual([]);
  });

  test("go to the file itself: no index.ts, no re-exports", () => {
    const findings = files
      .filter((file) => posix.basename(file.path) === "index.ts")
      .map((file) => file.path);
    for (const file of files) {
      for (const statement of file.parsed.module.staticExports) {
        if (statement.entries.some((entry) => entry.moduleRequest !== null)) {
          findings.push(at(file, statement.start, "re-exports from another file"));
        }
      }
    }
    expect(findings).toEqual([]);
  });
});

describe("source files", () => {
  test("open with a comment that says what they are for", () => {
    const findings = programSources
      .filter((file) => headerLength(file) < HEADER_CHARACTERS_MIN)
      .map((file) => `${file.path}: has no header comment`);
    expect(findings).toEqual([]);
  });

  test("are named in kebab-case", () => {
    const isName = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|fuzz\.test|bench\.test|d))?\.ts$/;
    const findings = files
      .map((file) => file.path)
      .filter((path) => !isName.test(posix.basename(path)));
    expect(findings).toEqual([]);
  });

  test(`have at most ${LINES_MAX} lines`, () => {
    const findings = files
      .filter((file) => lineCount(file) > LINES_MAX && !(file.path in LONG_FILES))
      .map((file) => `${file.path}: has ${lineCount(file)} lines`);
    for (const path of Object.keys(LONG_FILES)) {
      const file = fileByPath.get(path);
      if (file === undefined || lineCount(file) <= LINES_MAX) {
        findings.push(`${path}: no longer needs its line in LONG_FILES`);
      }
    }
    expect(findings).toEqual([]);
  });

  test("take time and chance from injected objects", () => {
    const findings: string[] = [];
    for (const file of programSources) {
      if (TIME_AND_CHANCE_FILES.includes(file.path)) continue;
      walk(file, (node) => {
        const name = node.type === "MemberExpression" ? memberName(node) : "";
        if (TIME_AND_CHANCE.includes(name)) findings.push(at(file, node.start, name));
        if (isNew(node, ["Date"]) && (node["arguments"] as Node[]).length === 0) {
          findings.push(at(file, node.start, "new Date()"));
        }
      });
    }
    expect(findings).toEqual([]);
  });

  test("keep the rules of the hot path where they are marked", () => {
    expect(hotSources.flatMap(hotPathFindings)).toEqual([]);
  });
});

describe("tests", () => {
  test("never sleep, and none is left alone with .only", () => {
    const findings: string[] = [];
    for (const file of files.filter(({ path }) => /^test\/(?!support\/)/.test(path))) {
      walk(file, (node) => {
        if (node.type !== "CallExpression") return;
        const callee = node["callee"] as Node;
        const name = callee.type === "Identifier" ? String(callee["name"]) : memberName(callee);
        if (
          ["Bun.sleep", "Bun.sleepSync", "setTimeout", "test.only", "describe.only"].includes(name)
        )
          findings.push(at(file, node.start, name));
      });
    }
    expect(findings).toEqual([]);
  });
});

describe("the repository", () => {
  test("names no registry and no path of somebody's machine", () => {
    // Written apart, so that this file does not find itself.
    const words = ["registry." + "npmjs", "registry." + "yarnpkg", "npm" + "mirror"];
    const paths = ["work", "root"].map((name) => `/${name}/`);
    const forbidden = new RegExp(
      `${words.join("|")}|(?<![\\w.$}~)/-])(?:${paths.join("|")})`.replaceAll(".", "\\."),
      "i",
    );
    const findings: string[] = [];
    for (const path of trackedPaths()) {
      const bytes = readFileSync(join(ROOT, path));
      if (bytes.includes(0)) continue;
      for (const [index, line] of bytes.toString().split("\n").entries()) {
        const match = forbidden.exec(line);
        if (match !== null) findings.push(`${path}:${index + 1}: ${match[0]}`);
      }
    }
    expect(findings).toEqual([]);
  });
});

/** What a HOT PATH file does inside its functions and may not. */
function hotPathFindings(file: SourceFile): string[] {
  const findings: string[] = [];
  const report = (node: Node, what: string): void => void findings.push(at(file, node.start, what));
  const coldLines = new Set(
    file.parsed.comments
      .filter((comment) => comment.value.includes(COLD_MARK))
      .map((comment) => lineAfter(file, comment)),
  );
  visit(file.parsed.program as unknown as Node, false, false);
  return findings;

  function visit(node: Node, isInFunction: boolean, isInLoop: boolean): void {
    if (coldLines.has(lineOf(file, node.start)) && node.type !== "Program") return;
    if (isFree(node)) return;
    if (isFunction(node)) {
      if (node["async"] === true) report(node, "async function");
      if (isInFunction) report(node, "closure made at every call");
      for (const child of children(node)) visit(child, true, false);
      return;
    }
    if (isInFunction) checkHotNode(node, isInLoop, report);
    const isLoop = /^(For|While|DoWhile)\w*Statement$/.test(node.type);
    for (const child of children(node)) visit(child, isInFunction, isInLoop || isLoop);
  }
}

function checkHotNode(
  node: Node,
  isInLoop: boolean,
  report: (node: Node, what: string) => void,
): void {
  if (node.type === "TryStatement" && isInLoop) report(node, "try inside a loop");
  if (node.type === "SpreadElement") report(node, "spread");
  if (node.type === "RestElement") report(node, "rest");
  if (node.type === "ObjectExpression") report(node, "object made at every call");
  if (node.type === "ArrayExpression") report(node, "array made at every call");
  if (node.type === "AwaitExpression") report(node, "await");
  if (isNew(node, HOT_BANNED_CONSTRUCTORS)) {
    report(node, `new ${String((node["callee"] as Node)["name"])}`);
  }
  if (node.type !== "CallExpression") return;
  const callee = node["callee"] as Node;
  if (callee.type === "Identifier" && callee["name"] === "String") report(node, "String()");
  if (callee.type === "MemberExpression") {
    const method = String((callee["property"] as Node)["name"]);
    if (HOT_BANNED_METHODS.includes(method)) report(node, `.${method}()`);
  }
}

/** Code that does not run per request: errors, what the build removes, types, and constructors. */
function isFree(node: Node): boolean {
  if (node.type === "ThrowStatement" || node.type.startsWith("TS")) {
    // Casts and non-null assertions hold code that runs.
    return !/^TS(As|Satisfies|NonNull|TypeAssertion)/.test(node.type);
  }
  if (node.type === "IfStatement") return (node["test"] as Node)["name"] === "DEBUG";
  if (node.type === "PropertyDefinition") return true;
  return node.type === "MethodDefinition" && node["kind"] === "constructor";
}

function isFunction(node: Node): boolean {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

function isNew(node: Node, names: readonly string[]): boolean {
  if (node.type !== "NewExpression") return false;
  const callee = node["callee"] as Node;
  return callee.type === "Identifier" && names.includes(String(callee["name"]));
}

/** "Date.now" of the node for `Date.now`, "" of anything longer or computed. */
function memberName(node: Node): string {
  const object = node["object"] as Node | undefined;
  if (object?.type !== "Identifier" || node["computed"] === true) return "";
  return `${String(object["name"])}.${String((node["property"] as Node)["name"])}`;
}

function walk(file: SourceFile, enter: (node: Node) => void): void {
  const open = [file.parsed.program as unknown as Node];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    enter(node);
    open.push(...children(node));
  }
}

function children(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof (value as Node | null)?.type === "string");
}

/** The cycles among value imports, each as a chain of paths that ends where it began. */
function findCycles(): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const chain: string[] = [];
  const follow = (path: string): void => {
    if (chain.includes(path)) {
      cycles.push([...chain.slice(chain.indexOf(path)), path].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    chain.push(path);
    for (const next of fileByPath.get(path)?.valueImports ?? []) follow(next);
    chain.pop();
    done.add(path);
  };
  for (const file of files) follow(file.path);
  return cycles;
}

/** The first folder under src, or src itself. */
function layerFolder(folder: string): string {
  return folder.split("/").slice(0, 2).join("/");
}

function layerOf(folder: string): number | undefined {
  return LAYERS[layerFolder(folder)];
}

/** Characters of comment before the first statement, the mark of the hot path not counted. */
function headerLength(file: SourceFile): number {
  const body = file.parsed.program.body[0]?.start ?? file.text.length;
  return file.parsed.comments
    .filter((comment) => comment.start < body)
    .filter((comment) => file.text.slice(comment.start, comment.end) !== HOT_PATH_MARK)
    .reduce((length, comment) => length + comment.value.length, 0);
}

function lineAfter(file: SourceFile, comment: Comment): number {
  return lineOf(file, comment.end) + 1;
}

function lineOf(file: SourceFile, offset: number): number {
  return file.text.slice(0, offset).split("\n").length;
}

function lineCount(file: SourceFile): number {
  return file.text.split("\n").length - 1;
}

function at(file: SourceFile, offset: number, what: string): string {
  return `${file.path}:${lineOf(file, offset)}: ${what}`;
}

function findFiles(pattern: string): SourceFile[] {
  const paths = [...new Bun.Glob(pattern).scanSync({ cwd: ROOT })];
  return paths.map((path) => readSource(path.replaceAll("\\", "/"))).sort(byPath);
}

function byPath(a: SourceFile, b: SourceFile): number {
  return a.path < b.path ? -1 : 1;
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), "utf8");
  const parsed = parseSync(path, text);
  const resolve = (specifier: string): string => posix.join(posix.dirname(path), specifier);
  const { staticImports, staticExports } = parsed.module;
  const specifiers = [
    ...staticImports.map((statement) => statement.moduleRequest.value),
    ...staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
  ];
  const valueSpecifiers = new Bun.Transpiler({ loader: "ts" })
    .scanImports(text)
    .map((statement) => statement.path);
  const isOurs = (specifier: string): boolean => specifier.startsWith(".");
  return {
    path,
    text,
    parsed,
    imports: [...new Set([...specifiers, ...valueSpecifiers])].filter(isOurs).map(resolve),
    valueImports: valueSpecifiers.filter(isOurs).map(resolve),
  };
}

/** What a commit would hold: tracked files, and new ones that are not ignored. */
function trackedPaths(): string[] {
  const { stdout } = Bun.spawnSync(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    { cwd: ROOT },
  );
  const paths = stdout.toString().split("\0");
  return paths.filter((path) => path !== "" && existsSync(join(ROOT, path)));
}
