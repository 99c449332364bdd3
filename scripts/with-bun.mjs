#!/usr/bin/env node
// Runs the project's own Bun with the given arguments, installing it first where it is missing.
//
// A machine with nothing but Node and npm can so `npm start` and `npm test`. Plain JavaScript
// without a dependency, because it runs before anything is installed.
//
// Bun's version is the one that package.json pins, never one that happens to be on PATH.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bunFolder = join(root, "node_modules", "bun");
// Bun's package names its executable so on every platform. The shims in node_modules/.bin are
// avoided: on Windows they are scripts, which cannot be spawned without a shell.
const bunPath = join(bunFolder, "bin", "bun.exe");

if (!isInstalled()) install();
runBun(process.argv.slice(2));

/** Without its install script the package holds a placeholder of a few hundred bytes. */
function isInstalled() {
  return existsSync(bunPath) && statSync(bunPath).size > 1_000_000;
}

function install() {
  console.error("Bun is not installed here yet: running npm install once.");
  // The output goes to stderr, so that a caller who reads our stdout sees only the program's.
  const npm = spawnSync("npm install --no-audit --no-fund", {
    cwd: root,
    shell: true,
    stdio: ["ignore", process.stderr, process.stderr],
  });
  if (npm.status !== 0) {
    console.error("npm install failed, so Bun cannot be run.");
    process.exit(npm.status ?? 1);
  }
  // Where npm is configured with `ignore-scripts`, the executable is still to be put in place.
  if (!isInstalled()) {
    spawnSync(process.execPath, ["install.js"], { cwd: bunFolder, stdio: "inherit" });
  }
}

function runBun(args) {
  const child = spawn(bunPath, args, { cwd: root, stdio: "inherit" });
  child.on("error", (error) => {
    console.error(`${bunPath}: ${error.message}`);
    process.exit(1);
  });
  const forwarders = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
    const forward = () => {
      // A terminal has already sent Ctrl-C to the whole process group, and a server takes a second
      // SIGINT as the order to stop without saving.
      if (signal === "SIGINT" && [0, 1, 2].some((descriptor) => isatty(descriptor))) return;
      child.kill(signal);
    };
    process.on(signal, forward);
    return [signal, forward];
  });
  // npm passes a signal to the shell that it runs scripts in, and that shell dies without telling
  // us. The server is not to outlive it.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    const stopWithParent = () => {
      if (process.ppid !== parent) child.kill("SIGTERM");
    };
    setInterval(stopWithParent, 200).unref();
  }
  child.on("exit", (code, signal) => {
    for (const [name, forward] of forwarders) process.removeListener(name, forward);
    // The caller sees the shell's convention for a child that died of a signal.
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}
