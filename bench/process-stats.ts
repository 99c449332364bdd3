// What a process has used, read from outside it: CPU time and resident memory (Linux only).
//
// CPU time comes from the process CPU clock (clock_getcpuclockid's encoding of a foreign pid). It
// counts every thread, also those that have ended, in nanoseconds and up to this moment.
// /proc/<pid>/stat counts in ticks of 10 ms and /proc/<pid>/task/*/schedstat forgets threads that
// have ended; from the former only the proportion of user to system time is taken.

import { dlopen } from "bun:ffi";
import { readdirSync, readFileSync } from "node:fs";

const CPUCLOCK_SCHED = 2;

const libc = dlopen("libc.so.6", {
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
});

export interface CpuTime {
  takenAtMs: number;
  totalMicros: number;
  // How long its main thread was ready to run and did not.
  waitedMs: number;
  userTicks: number;
  systemTicks: number;
}

export interface CpuUse {
  totalMicros: number;
  userMicros: number;
  systemMicros: number;
  waitedPercent: number;
}

export function readCpuTime(pid: number): CpuTime {
  const timespec = new BigInt64Array(2);
  const clock = (~pid << 3) | CPUCLOCK_SCHED;
  if (libc.symbols.clock_gettime(clock, timespec) !== 0) {
    throw new Error(`no CPU clock for process ${pid}`);
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses and may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    takenAtMs: performance.now(),
    waitedMs: readWaitedMs(pid),
    totalMicros: Number(timespec[0]) * 1e6 + Number(timespec[1]) / 1e3,
    userTicks: Number(fields[11]),
    systemTicks: Number(fields[12]),
  };
}

export function cpuUsedSince(pid: number, start: CpuTime): CpuUse {
  const now = readCpuTime(pid);
  const totalMicros = now.totalMicros - start.totalMicros;
  const user = now.userTicks - start.userTicks;
  const system = now.systemTicks - start.systemTicks;
  const userMicros = user + system === 0 ? totalMicros : (totalMicros * user) / (user + system);
  return {
    totalMicros,
    userMicros,
    systemMicros: totalMicros - userMicros,
    waitedPercent: (100 * (now.waitedMs - start.waitedMs)) / (now.takenAtMs - start.takenAtMs),
  };
}

// The main thread's only: the helpers of a process also wait for one another.
function readWaitedMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
}

// Memory of a process and of what it forked: pages that they share count once.
export function readFamilyBytes(pid: number): number {
  let bytes = readProportionalBytes(pid);
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8");
    for (const child of children.trim().split(" ")) {
      if (child !== "") bytes += readProportionalBytes(Number(child));
    }
  }
  return bytes;
}

function readProportionalBytes(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  } catch {
    // A child that has just ended.
    return 0;
  }
}

export function readResidentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match === null) throw new Error(`no VmRSS for process ${pid}`);
  return Number(match[1]) * 1024;
}
