import { describe, expect, test } from "bun:test";
import { globMatch } from "../../../src/base/glob.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/glob.test.ts";
const seed = seedOfRun();

/** Matches inside larger arrays, whose surroundings would change the result if they were read. */
function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const patternBytes = Buffer.from(`*${pattern}*`, "latin1");
  const textBytes = Buffer.from(`]${text}]`, "latin1");
  return globMatch(
    patternBytes,
    1,
    patternBytes.length - 1,
    textBytes,
    1,
    textBytes.length - 1,
    ignoreCase,
  );
}

describe("patterns", () => {
  const cases: [pattern: string, text: string, isMatch: boolean][] = [
    ["", "", true],
    ["", "a", false],
    ["a", "", false],
    ["*", "a", true],
    ["*", "", false],
    ["**", "abc", true],
    ["a*", "a", true],
    ["a*c", "abbbc", true],
    ["a*c", "abbbcd", false],
    ["*a*b*", "xxaxxbxx", true],
    ["*ab", "aab", true],
    ["?", "a", true],
    ["?", "", false],
    ["??", "a", false],
    ["h[ae]llo", "hallo", true],
    ["h[ae]llo", "hillo", false],
    ["h[^e]llo", "hello", false],
    ["h[^e]llo", "hallo", true],
    ["h[a-c]llo", "hbllo", true],
    ["h[c-a]llo", "hbllo", true],
    ["h[a-c]llo", "hdllo", false],
    ["[a-]", "-", false],
    ["[a-]b", "b", true],
    ["[]", "]", false],
    ["[]a]", "a]", false],
    ["[^]", "x", true],
    ["[", "[", false],
    ["[ab", "b", true],
    ["[^", "x", true],
    ["[\\]]", "]", true],
    ["[a\\-c]", "b", false],
    ["[a\\-c]", "-", true],
    ["[\\", "\\", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["\\", "\\", true],
    ["a\\", "a\\", true],
    ["\\a", "a", true],
    ["[\x7f-\x80]", "a", true],
    ["[\x80-\xff]", "\x90", true],
  ];
  for (const [pattern, text, isMatch] of cases) {
    test(`${JSON.stringify(pattern)} and ${JSON.stringify(text)}`, () => {
      expect(matches(pattern, text)).toBe(isMatch);
    });
  }

  test("case is ignored on request, but not for a quoted member of a class", () => {
    expect(matches("ABC", "abc")).toBe(false);
    expect(matches("A[b-c]\\D", "aBd", true)).toBe(true);
    expect(matches("[A-C]", "b", true)).toBe(true);
    expect(matches("[\\A]", "a", true)).toBe(false);
  });

  test("many stars cost no exponential time, and more than 1000 match nothing", () => {
    expect(matches(`${"a*".repeat(50)}b`, "a".repeat(20_000))).toBe(false);
    expect(matches(`${"*a".repeat(1000)}`, "a".repeat(1000))).toBe(true);
    expect(matches(`${"*a".repeat(1001)}`, "a".repeat(1001))).toBe(false);
    expect(matches(`${"a*".repeat(1001)}`, "a".repeat(1001))).toBe(true);
  });
});

test("agrees with a recursive matcher on random patterns", () =>
  withSeed(FILE, seed, (random: Random) => {
    let matchCount = 0;
    for (let round = 0; round < 50_000; round++) {
      const pattern = randomText(random, "aabB*?[]^-\\", 10);
      const text = randomText(random, "aabB-]\\", 8);
      const ignoreCase = random.oneIn(2);
      const expected = text === "" ? pattern === "" : model(pattern, text, ignoreCase);
      const actual = matches(pattern, text, ignoreCase);
      if (actual !== expected) throw new Error(`${JSON.stringify([pattern, text, ignoreCase])}`);
      if (actual) matchCount++;
    }
    expect(matchCount).toBeGreaterThan(1000);
  }));

function randomText(random: Random, alphabet: string, lengthMax: number): string {
  let text = "";
  for (let count = random.below(lengthMax + 1); count > 0; count--) {
    text += alphabet[random.below(alphabet.length)];
  }
  return text;
}

/** The same language by plain recursion over a parsed pattern. */
function model(pattern: string, text: string, ignoreCase: boolean): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*") {
    if (model(pattern.slice(1), text, ignoreCase)) return true;
    return text !== "" && model(pattern, text.slice(1), ignoreCase);
  }
  if (text === "") return false;
  const fold = (char: string) => (ignoreCase ? char.toLowerCase() : char);
  const char = text[0];
  if (pattern[0] === "?") return model(pattern.slice(1), text.slice(1), ignoreCase);
  if (pattern[0] === "[") {
    const { members, rest } = parseClass(pattern.slice(1));
    const isMember = members.list.some(({ from, to, isQuoted }) => {
      if (isQuoted) return from === char;
      const [low, high] = from < to ? [fold(from), fold(to)] : [fold(to), fold(from)];
      return fold(char) >= low && fold(char) <= high;
    });
    return isMember !== members.isNegated && model(rest, text.slice(1), ignoreCase);
  }
  const isQuote = pattern[0] === "\\" && pattern.length > 1;
  const literal = isQuote ? pattern[1] : pattern[0];
  const rest = pattern.slice(isQuote ? 2 : 1);
  return fold(literal) === fold(char) && model(rest, text.slice(1), ignoreCase);
}

interface Members {
  isNegated: boolean;
  list: { from: string; to: string; isQuoted: boolean }[];
}

function parseClass(text: string): { members: Members; rest: string } {
  const members: Members = { isNegated: text[0] === "^", list: [] };
  let rest = members.isNegated ? text.slice(1) : text;
  while (rest !== "" && rest[0] !== "]") {
    if (rest[0] === "\\" && rest.length >= 2) {
      members.list.push({ from: rest[1], to: rest[1], isQuoted: true });
      rest = rest.slice(2);
    } else if (rest[1] === "-" && rest.length >= 3) {
      members.list.push({ from: rest[0], to: rest[2], isQuoted: false });
      rest = rest.slice(3);
    } else {
      members.list.push({ from: rest[0], to: rest[0], isQuoted: false });
      rest = rest.slice(1);
    }
  }
  return { members, rest: rest.slice(1) };
}
