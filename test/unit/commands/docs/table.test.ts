/**
 * The documents of all commands keep the form that clients rely on. Whether they are right is for
 * test/differential/command-docs.test.ts.
 */
import { expect, test } from "bun:test";
import { documentedCommands } from "../../../../src/commands/docs/table.ts";
import type { CommandArgument } from "../../../../src/commands/docs/types.ts";

const SUMMARY_CHARACTERS_MAX = 100;
const VERSION = /^\d+\.\d+\.\d+$/;

const documented = documentedCommands();

test("a summary is one short sentence", () => {
  const findings = [...documented]
    .filter(([, { doc }]) => {
      const { summary } = doc;
      return !/^[A-Z][^.]*\.$/.test(summary) || summary.length > SUMMARY_CHARACTERS_MAX;
    })
    .map(([name, { doc }]) => `${name}: ${doc.summary}`);
  expect(findings).toEqual([]);
});

test("versions are complete, and a history goes forward", () => {
  const findings: string[] = [];
  for (const [name, { doc }] of documented) {
    const history = (doc.history ?? []).map(([version]) => version);
    const sorted = history.toSorted((a, b) => Bun.semver.order(a, b));
    if (history.join() !== sorted.join()) findings.push(`${name}: ${history.join(", ")}`);
    const versions = [doc.since, doc.deprecated?.since ?? doc.since, ...history];
    for (const { since, deprecatedSince } of argumentsOf(doc.args ?? [])) {
      versions.push(since ?? doc.since, deprecatedSince ?? doc.since);
    }
    const wrong = versions.find((version) => !VERSION.test(version));
    if (wrong !== undefined) findings.push(`${name}: ${wrong}`);
  }
  expect(findings).toEqual([]);
});

test("names are in lower case, and a subcommand has its container", () => {
  const findings: string[] = [];
  for (const [name, { group }] of documented) {
    const [container, subcommand] = name.split("|");
    if (!/^[a-z0-9_-]+(\|[a-z0-9_-]+)?$/.test(name)) findings.push(name);
    if (subcommand !== undefined && documented.get(container)?.group !== group) findings.push(name);
  }
  expect(findings).toEqual([]);
});

test("argument trees are well formed", () => {
  const findings: string[] = [];
  for (const [name, { doc }] of documented) {
    checkSiblings(name, doc.args ?? [], findings);
  }
  expect(findings).toEqual([]);
});

function checkSiblings(
  path: string,
  siblings: readonly CommandArgument[],
  findings: string[],
): void {
  const names = siblings.map((argument) => argument.name);
  if (new Set(names).size !== names.length)
    findings.push(`${path}: ${names.join(", ")} repeat a name`);
  for (const argument of siblings) {
    const place = `${path} ${argument.name}`;
    const isGroup = argument.type === "oneof" || argument.type === "block";
    if (isGroup !== (argument.children !== undefined)) findings.push(`${place}: children`);
    if (isGroup && (argument.children?.length ?? 0) < 2)
      findings.push(`${place}: too few children`);
    if (argument.type === "key" && argument.keySpecIndex === undefined) {
      findings.push(`${place}: no key spec`);
    }
    if (argument.type === "pure-token" && argument.token === undefined) {
      findings.push(`${place}: no token`);
    }
    if (argument.token !== argument.token?.toUpperCase()) findings.push(`${place}: token`);
    if (argument.repeatsToken && !(argument.isMultiple && argument.token)) {
      findings.push(`${place}: repeats a token without one`);
    }
    checkSiblings(place, argument.children ?? [], findings);
  }
}

function argumentsOf(list: readonly CommandArgument[]): CommandArgument[] {
  return list.flatMap((argument) => [argument, ...argumentsOf(argument.children ?? [])]);
}
