import { describe, expect, test } from "bun:test";
import { Int64 } from "../../../src/base/int64.ts";
import { Arena, Ref } from "../../../src/memory/arena.ts";
import {
  intsetBase,
  intsetBytes,
  intsetCompact,
  intsetCreate,
  intsetDuplicate,
  intsetFind,
  intsetFree,
  intsetFromBytes,
  intsetGet,
  intsetInsert,
  intsetLength,
  intsetMemoryBytes,
  intsetRemove,
  intsetRemoveRange,
  intsetValidate,
} from "../../../src/structures/intset.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/intset.test.ts";

/** An intset, and the sorted array it should be equal to. */
class Model {
  members: bigint[] = [];
  readonly arena = new Arena();
  reference = intsetCreate(this.arena);

  get view(): DataView {
    return this.arena.views[this.reference >>> Ref.SEGMENT_SHIFT];
  }

  get base(): number {
    return intsetBase(this.reference);
  }

  find(member: bigint): number {
    const found = intsetFind(this.view, this.base, highOf(member), lowOf(member));
    const index = this.members.indexOf(member);
    const place = this.members.filter((other) => other < member).length;
    expect(found).toBe(index >= 0 ? index : -1 - place);
    return found;
  }

  insert(member: bigint): void {
    const found = this.find(member);
    if (found >= 0) return;
    const { arena, reference } = this;
    this.reference = intsetInsert(arena, reference, found, highOf(member), lowOf(member));
    this.members.splice(-1 - found, 0, member);
  }

  remove(index: number): void {
    this.reference = intsetRemove(this.arena, this.reference, index);
    this.members.splice(index, 1);
  }

  check(): void {
    expect(membersOf(this.arena, this.reference)).toEqual(this.members);
    const count = intsetValidate(
      this.view,
      this.base,
      this.base + intsetBytes(this.view, this.base),
    );
    expect(count).toBe(this.members.length === 0 ? -1 : this.members.length);
    expect(this.arena.liveBytes).toBe(intsetMemoryBytes(this.arena, this.reference));
  }
}

function highOf(member: bigint): number {
  return Number(BigInt.asIntN(32, member >> 32n));
}

function lowOf(member: bigint): number {
  return Number(BigInt.asIntN(32, member));
}

function membersOf(arena: Arena, reference: number): bigint[] {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const base = intsetBase(reference);
  const member = new Int64();
  return Array.from({ length: intsetLength(view, base) }, (_, index) => {
    intsetGet(view, base, index, member);
    return (BigInt(member.high) << 32n) | BigInt(member.low >>> 0);
  });
}

/** An integer that needs at most `bits` bits. */
function randomMember(random: Random, bits: number): bigint {
  const word = (BigInt(random.next()) << 32n) | BigInt(random.next());
  const edge = 1n << BigInt(bits - 1);
  if (random.oneIn(20)) return random.pick([-edge, edge - 1n, 0n, -1n]);
  return BigInt.asIntN(bits, word >> BigInt(random.below(bits)));
}

describe("an intset", () => {
  for (const [name, widths] of [
    ["of 16 bits", [16]],
    ["of 32 bits", [16, 32, 32]],
    ["of 64 bits", [64]],
    ["that widens", [16, 16, 16, 16, 16, 16, 16, 16, 16, 32, 64]],
  ] as const) {
    test(`${name} follows a sorted array through random changes`, async () => {
      await withSeed(FILE, seedOfRun(), (random) => {
        const model = new Model();
        for (let step = 0; step < 600; step++) {
          if (model.members.length > 0 && random.oneIn(3)) {
            model.remove(random.below(model.members.length));
          } else model.insert(randomMember(random, random.pick(widths)));
          model.find(randomMember(random, 64));
          if (step % 20 === 0) model.check();
        }
        model.check();
        model.arena.verify();
      });
    });
  }

  test("widens at both ends, at the limits of a width", () => {
    for (const first of [32767n, -32768n, 5n]) {
      for (const wider of [32768n, -32769n, 2147483648n, -2147483649n, 2n ** 63n - 1n]) {
        const model = new Model();
        model.insert(first);
        model.insert(wider);
        model.insert(7n);
        model.insert(-7n);
        model.check();
      }
    }
  });

  test("has Redis's bytes", () => {
    const model = new Model();
    for (const member of [1n, -2n, 70000n]) model.insert(member);
    const bytes = model.arena.bytes[model.reference >>> Ref.SEGMENT_SHIFT];
    const hex = Buffer.from(bytes.slice(model.base, model.base + 20)).toString("hex");
    expect(hex).toBe("0400000003000000" + "feffffff" + "01000000" + "70110100");
  });

  test("duplicates, and removes a range", () => {
    const model = new Model();
    for (let i = 0n; i < 100n; i++) model.insert(i * 3n);
    const copy = intsetDuplicate(model.arena, model.reference);
    model.reference = intsetRemoveRange(model.arena, model.reference, 10, 80);
    model.members.splice(10, 80);
    expect(membersOf(model.arena, model.reference)).toEqual(model.members);
    expect(membersOf(model.arena, copy).length).toBe(100);
    expect(intsetCompact(model.arena, copy)).toBe(copy);
    intsetFree(model.arena, copy);
    model.check();
    intsetFree(model.arena, model.reference);
    expect(model.arena.liveBytes).toBe(0);
  });
});

describe("validation", () => {
  const check = (hex: string): number => {
    const bytes = new Uint8Array(Buffer.from(hex, "hex"));
    return intsetValidate(new DataView(bytes.buffer), 0, bytes.length);
  };

  test("accepts ascending members only, of a known width, and at least one", () => {
    expect(check("0200000002000000" + "feff" + "0100")).toBe(2);
    expect(check("0200000002000000" + "0100" + "0100")).toBe(-1);
    expect(check("0200000002000000" + "0100" + "feff")).toBe(-1);
    expect(check("0400000002000000" + "01000000" + "00000000")).toBe(-1);
    expect(check("0800000002000000" + "ffffffff00000000" + "0000000001000000")).toBe(2);
    expect(check("0800000002000000" + "0000000001000000" + "ffffffff00000000")).toBe(-1);
    expect(check("0800000002000000" + "0000000001000000" + "0000000001000000")).toBe(-1);
    expect(check("0200000000000000")).toBe(-1);
    expect(check("0300000001000000" + "010000")).toBe(-1);
    expect(check("0200000002000000" + "0100")).toBe(-1);
    expect(check("08000000ffffffff" + "0100")).toBe(-1);
    expect(check("02000000010000")).toBe(-1);
    expect(check("")).toBe(-1);
  });

  test("what it accepts can be taken over", () => {
    const bytes = new Uint8Array(Buffer.from("0200000002000000" + "feff" + "0100", "hex"));
    const arena = new Arena();
    const reference = intsetFromBytes(arena, new DataView(bytes.buffer), 0);
    expect(membersOf(arena, reference)).toEqual([-2n, 1n]);
  });
});
