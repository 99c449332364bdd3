/** What the server prints when it starts: a sign of life that fits a terminal of 80 columns. */

const FLAME = [
  "            )           ",
  "           ( \\          ",
  "            ) )         ",
  "           (_(          ",
  "          _|=|_         ",
  "           | |          ",
  "           | |          ",
  "        ___| |___       ",
  "       (_________)      ",
];

export interface BannerFacts {
  version: string;
  gitSha: string;
  mode: string;
  port: number;
  pid: number;
}

export function banner(facts: BannerFacts): string {
  const right: Readonly<Record<number, string>> = {
    1: `Bunsen ${facts.version} (${facts.gitSha}) 64 bit`,
    3: `Running in ${facts.mode} mode`,
    4: `Port: ${facts.port}`,
    5: `PID: ${facts.pid}`,
    7: "An in-memory data server for Redis clients",
  };
  return `\n${FLAME.map((line, i) => `${line} ${right[i] ?? ""}`.trimEnd()).join("\n")}\n\n`;
}
