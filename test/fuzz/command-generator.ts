/**
 * Random commands from argument shapes: mostly valid ones, with values at the edges, and now and
 * then a mutated one. Two things are kept out: moments that would pass while the test runs
 * (the servers' clocks differ), and values that would take hundreds of megabytes.
 */
import type { Argument } from "../support/resp-client.ts";
import type { Random } from "../support/seed.ts";
import type { ArgumentShape, CommandShape } from "./command-shapes.ts";

const INTEGERS = [
  "0",
  "1",
  "-1",
  "2",
  "3",
  "5",
  "10",
  "-3",
  "100",
  "1000",
  "-100",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775806",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "18446744073709551615",
];
const DOUBLES = [
  "0",
  "1",
  "-1",
  "0.5",
  "1.5",
  "-2.25",
  "3.14159",
  "1e3",
  "1e-3",
  "1e17",
  "1e300",
  "-1e300",
  "17179869184.5",
  "inf",
  "-inf",
  "+inf",
  "nan",
  "0.1",
];
const TEXTS = [
  "",
  "a",
  "b",
  "c",
  "hello",
  "Hello World",
  "foobar",
  "x".repeat(44),
  "y".repeat(45),
  "z".repeat(70),
  "12",
  "-7",
  "3.0",
  "1e2",
  " 1",
  "01",
  "1 ",
  "\0",
  "a\r\nb",
  "ключ",
];
const PATTERNS = ["*", "k*", "?1", "[a-c]*", "[^k]*", "none", "", "\\", "k[", "*1"];
const ENCODINGS = ["u8", "i8", "u16", "i64", "u63", "i5", "u1", "u64", "i0", "i65", "x8", "u"];
const JUNK = [
  "",
  "abc",
  "NX",
  "XX",
  "GET",
  "KEEPTTL",
  "COUNT",
  "-1",
  "0",
  "1.5",
  "9223372036854775808",
  "*",
  "\0",
];

/** Groups whose commands create keys of one type; such keys are named after the group. */
const TYPED_GROUPS: ReadonlySet<string> = new Set([
  "string",
  "list",
  "set",
  "sorted-set",
  "hash",
  "stream",
  "bitmap",
  "hyperloglog",
  "geo",
]);
const KEYS_PER_GROUP = 3;

/** Arguments above this and below the limits of a string would allocate that much. */
const SIZE_MIN = 1_000_000;
const SIZE_MAX = 4_294_967_296;
const SIZING_COMMANDS: ReadonlySet<string> = new Set([
  "setrange",
  "setbit",
  "bitfield",
  "bitfield_ro",
  "bitop",
  "srandmember",
  "hrandfield",
  "zrandmember",
]);

/** A relative time below this many milliseconds or seconds could pass during the test. */
const TIME_MIN = 1_000_000;
const TIME_NAMES = /^(seconds|milliseconds|unix-time|timeout|ttl|min-idle-time)/;

export class CommandGenerator {
  private readonly random: Random;
  private numkeysAt = -1;
  private keyCount = 0;

  constructor(random: Random) {
    this.random = random;
  }

  generate(shape: CommandShape): Argument[] {
    const args: Argument[] = shape.name.split("|");
    const nameCount = args.length;
    this.numkeysAt = -1;
    this.keyCount = 0;
    this.appendAll(shape.parts, shape, args);
    if (this.numkeysAt >= 0 && !this.random.oneIn(6)) args[this.numkeysAt] = String(this.keyCount);
    if (this.random.oneIn(4)) this.mutate(args, nameCount);
    if (this.random.oneIn(3)) args[0] = String(args[0]).toUpperCase();
    return makeSafe(args, nameCount, shape, this.random);
  }

  private appendAll(parts: readonly ArgumentShape[], shape: CommandShape, args: Argument[]): void {
    for (const part of parts) {
      if (part.optional && !this.random.oneIn(3)) continue;
      this.append(part, shape, args);
    }
  }

  private append(part: ArgumentShape, shape: CommandShape, args: Argument[]): void {
    const count = part.multiple ? 1 + this.random.below(3) : 1;
    for (let i = 0; i < count; i++) {
      const tokenHere = part.token !== null && (i === 0 || part.multipleToken);
      if (tokenHere) args.push(this.random.oneIn(4) ? part.token.toLowerCase() : part.token);
      if (part.type === "pure-token") continue;
      if (part.type === "oneof") {
        if (part.parts.length > 0) this.append(this.random.pick(part.parts), shape, args);
      } else if (part.type === "block") {
        this.appendAll(part.parts, shape, args);
      } else {
        args.push(this.value(part, shape, args.length));
      }
    }
  }

  private value(part: ArgumentShape, shape: CommandShape, at: number): Argument {
    if (part.name === "numkeys") {
      this.numkeysAt = at;
      return "1";
    }
    if (part.name === "encoding") return this.random.pick(ENCODINGS);
    switch (part.type) {
      case "key":
        this.keyCount++;
        return this.key(shape.group);
      case "integer":
      case "unix-time":
        return this.integer();
      case "double":
        return this.random.oneIn(4) ? this.integer() : this.random.pick(DOUBLES);
      case "pattern":
        return this.random.pick(PATTERNS);
      default:
        return this.text();
    }
  }

  /** Mostly a key of the type the command is for, at times any other or one that is missing. */
  private key(group: string): string {
    const own = TYPED_GROUPS.has(group) && !this.random.oneIn(5);
    const type = own ? group : this.random.pick([...TYPED_GROUPS]);
    return `${type}:${this.random.below(KEYS_PER_GROUP)}`;
  }

  private integer(): string {
    return this.random.oneIn(3) ? String(this.random.below(20) - 5) : this.random.pick(INTEGERS);
  }

  private text(): Argument {
    switch (this.random.below(6)) {
      case 0:
        return this.integer();
      case 1:
        return this.random.pick(DOUBLES);
      case 2:
        return this.random.bytes(this.random.below(12));
      default:
        return this.random.pick(TEXTS);
    }
  }

  private mutate(args: Argument[], nameCount: number): void {
    const at = nameCount + this.random.below(Math.max(1, args.length - nameCount));
    switch (this.random.below(5)) {
      case 0:
        if (at < args.length) args.splice(at, 1);
        break;
      case 1:
        if (at < args.length) args.splice(at, 0, args[at]);
        break;
      case 2:
        if (at < args.length) args[at] = this.random.pick(JUNK);
        break;
      case 3:
        args.push(this.random.pick(JUNK));
        break;
      default:
        if (at < args.length) args.splice(at, 0, this.random.pick(JUNK));
    }
  }
}

/** Replaces what a comparison of two running servers cannot bear. */
function makeSafe(
  args: Argument[],
  nameCount: number,
  shape: CommandShape,
  random: Random,
): Argument[] {
  const hasTime = mentionsTime(shape.parts);
  const safe = args.slice(0, nameCount);
  for (const arg of args.slice(nameCount)) {
    let value = arg;
    if (typeof arg === "string") {
      if (shape.name === "xadd" && arg === "*") value = "5-*";
      if (/^block$/i.test(arg)) value = "COUNT";
      if (/^[+-]?[0-9. ]+$/.test(arg)) value = safeNumber(arg, shape.name, hasTime, random);
    }
    safe.push(value);
  }
  return safe;
}

function safeNumber(text: string, command: string, hasTime: boolean, random: Random): string {
  const number = Number(text);
  // Valkey cuts the index to 32 bits and replaces another element; ours says "out of range".
  if (command === "lset" && Math.abs(number) > 2 ** 31 - 1) return String(number % 2 ** 31);
  if (SIZING_COMMANDS.has(command)) {
    const size = Math.abs(number);
    if (number < -100 || (size > SIZE_MIN && size <= SIZE_MAX * 2))
      return String(1 + random.below(5000));
  }
  // Also keeps two moments apart, so that GT and LT do not depend on a millisecond.
  if (hasTime && number > 0 && number < 2 ** 50) {
    return String(TIME_MIN + Math.floor(number) + random.below(1_000_000_000));
  }
  return text;
}

function mentionsTime(parts: readonly ArgumentShape[]): boolean {
  return parts.some(
    (part) => part.type === "unix-time" || TIME_NAMES.test(part.name) || mentionsTime(part.parts),
  );
}
