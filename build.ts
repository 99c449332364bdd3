// Builds the executable: `bun build.ts` makes dist/bunsen for this machine, `bun build.ts --all`
// makes dist/bunsen-<target>[.exe] for every platform and dist/SHA256SUMS.
//
// The choices, each measured on a server of 1.9 MB of source (start to first PONG, median of 21):
// - bytecode: 70 ms instead of 160 ms, for 5 MB of file. It is compiled for every target.
// - its layout by profile: this machine's executable is built twice, and run in between to record
//   which functions a start uses; they come first in the file. A quarter of a start's CPU time.
// - a JIT that hesitates at first: what runs once while starting stays in the interpreter; main.ts
//   makes it eager when the server listens. A tenth of a start's CPU time.
// - minify without `identifiers`: renaming gains neither start-up time nor memory, and profiles and
//   stack traces keep their names. `syntax` is needed: it inlines `const enum` members across files
//   and removes what `if (DEBUG)` guards.
// - a source map inside the executable, read only when an error is printed: 1 MB.
// - no bunfig.toml and no .env of the working directory: they would change a server's behaviour.
//
// The runtime of another platform comes from the npm package that Bun is published in, and Bun
// keeps it in its cache.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "./package.json" with { type: "json" };

const ENTRY_POINT = "src/main.ts";

/**
 * Files started with `new Worker(...)`: the bundler does not follow that, so each stands here.
 * In the executable every module's `import.meta.url` lies at the top of src/, so a worker's URL is
 * right both there and under `bun run` only if src/main.ts makes it, or if it depends on where the
 * module finds itself.
 */
export const WORKER_ENTRY_POINTS: readonly string[] = [
  "src/persistence/snapshot-worker.ts",
  "src/tools/benchmark/worker.ts",
];

/** How many times more reluctant the JIT is until the server listens. */
const START_JIT_POLICY = 8;
const START_MS_MAX = 30_000;

/** Our name of a platform, as in dist/bunsen-<name>, and Bun's. */
const TARGETS: readonly (readonly [name: string, target: Bun.Build.CompileTarget])[] = [
  ["linux-x64", "bun-linux-x64"],
  ["linux-arm64", "bun-linux-arm64"],
  ["linux-x64-musl", "bun-linux-x64-musl"],
  ["linux-arm64-musl", "bun-linux-arm64-musl"],
  ["darwin-x64", "bun-darwin-x64"],
  ["darwin-arm64", "bun-darwin-arm64"],
  ["windows-x64", "bun-windows-x64"],
];

const ROOT = import.meta.dir;
const DIST = join(ROOT, "dist");

if (import.meta.main) await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  const unknown = args.find((arg) => arg !== "--all");
  if (unknown !== undefined) {
    console.error(`Unknown argument ${unknown}\nusage: bun build.ts [--all]`);
    process.exit(2);
  }
  await mkdir(DIST, { recursive: true });
  const define = buildDefines();
  const ours = join(DIST, windowsSuffix("bunsen", process.platform === "win32"));
  const profile = await recordStart(ours, define);
  if (!args.includes("--all")) {
    await compile(ours, define, profile);
    await rm(profile);
    return;
  }
  const sums: string[] = [];
  for (const [name, target] of TARGETS) {
    const file = windowsSuffix(`bunsen-${name}`, name.startsWith("windows"));
    await compile(join(DIST, file), define, profile, target);
    sums.push(`${await sha256(join(DIST, file))}  ${file}\n`);
  }
  await rm(profile);
  await Bun.write(join(DIST, "SHA256SUMS"), sums.join(""));
}

/** Builds an executable, starts it, and returns the file with what its start used. */
async function recordStart(executable: string, define: Record<string, string>): Promise<string> {
  await compile(executable, define, null);
  const profile = `${executable}.profile`;
  await rm(profile, { force: true });
  const port = freePort();
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
  const server = Bun.spawn([executable, ...options], {
    env: { ...process.env, BUN_BYTECODE_ORDER_OUT: profile },
    cwd: DIST,
    stdout: "ignore",
    stderr: "inherit",
  });
  try {
    await requestUntilAnswered(port, "PING\r\nSET k v\r\nGET k\r\nDEL k\r\n");
  } finally {
    server.kill("SIGTERM");
    await server.exited;
  }
  if (!(await Bun.file(profile).exists())) throw new Error("the start left no profile");
  return profile;
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop();
  return port;
}

/** Sends a request to a server that is starting, and waits for the first byte of its answer. */
async function requestUntilAnswered(port: number, request: string): Promise<void> {
  const deadline = Date.now() + START_MS_MAX;
  while (Date.now() < deadline) {
    const answered = Promise.withResolvers<boolean>();
    try {
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port,
        socket: { data: () => answered.resolve(true), close: () => answered.resolve(false) },
      });
      socket.write(request);
      const isAnswered = await answered.promise;
      socket.end();
      if (isAnswered) return;
    } catch {
      await Bun.sleep(10);
    }
  }
  throw new Error("the executable does not answer");
}

async function compile(
  outfile: string,
  define: Record<string, string>,
  profile: string | null,
  target?: Bun.Build.CompileTarget,
): Promise<void> {
  // A running executable may be replaced but not overwritten.
  await rm(outfile, { force: true });
  const startNs = Bun.nanoseconds();
  const result = await Bun.build({
    entrypoints: [ENTRY_POINT, ...WORKER_ENTRY_POINTS].map((path) => join(ROOT, path)),
    root: join(ROOT, "src"),
    target: "bun",
    format: "esm",
    bytecode: true,
    minify: { syntax: true, whitespace: true, identifiers: false },
    sourcemap: "inline",
    define,
    compile: {
      outfile,
      autoloadBunfig: false,
      autoloadDotenv: false,
      bytecodeOrder: profile,
      jitPolicy: START_JIT_POLICY,
      ...(target === undefined ? {} : { target }),
    },
  });
  // The maps are inside the executable too.
  for (const output of result.outputs) {
    if (output.kind === "sourcemap") await rm(output.path, { force: true });
  }
  const megabytes = (Bun.file(outfile).size / 1e6).toFixed(1);
  const seconds = ((Bun.nanoseconds() - startNs) / 1e9).toFixed(1);
  console.log(`${outfile.slice(ROOT.length + 1)}  ${megabytes} MB  ${seconds} s`);
}

function buildDefines(): Record<string, string> {
  return {
    DEBUG: "false",
    BUNSEN_VERSION: JSON.stringify(packageJson.version),
    BUNSEN_GIT_SHA: JSON.stringify(git("rev-parse", "--short=8", "HEAD") || "00000000"),
    BUNSEN_GIT_DIRTY: String(git("status", "--porcelain", "--untracked-files=no") !== ""),
    BUNSEN_BUILD_DATE: JSON.stringify(buildDate().toISOString()),
  };
}

/** A build of the same commit with SOURCE_DATE_EPOCH set is the same to the byte. */
function buildDate(): Date {
  const epochSeconds = process.env["SOURCE_DATE_EPOCH"];
  return epochSeconds === undefined ? new Date() : new Date(Number(epochSeconds) * 1000);
}

/** What git prints, or nothing outside a repository or without git. */
function git(...args: string[]): string {
  if (Bun.which("git") === null) return "";
  const result = Bun.spawnSync(["git", ...args], { cwd: ROOT, stderr: "ignore" });
  return result.success ? result.stdout.toString().trim() : "";
}

function windowsSuffix(name: string, isWindows: boolean): string {
  return isWindows ? `${name}.exe` : name;
}

async function sha256(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
