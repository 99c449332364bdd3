import { describe, expect, test } from "bun:test";
import { bytesFromAscii } from "../../../src/base/ascii.ts";
import { ManifestError, parseManifest } from "../../../src/persistence/aof-manifest.ts";

const parse = (text: string) => parseManifest(bytesFromAscii(text));

function errorOf(text: string): ManifestError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error("the manifest was read");
}

const BASE = "file a.aof.1.base.rdb seq 1 type b\n";
const FIRST = "file a.aof.1.incr.aof seq 1 type i\n";
const SECOND = "file a.aof.2.incr.aof seq 2 type i\n";

describe("a manifest", () => {
  test("is read and written", () => {
    const text = `${BASE}file a.aof.0.incr.aof seq 7 type h\n${FIRST}${SECOND}`;
    const manifest = parse(text);
    expect(manifest.base?.name).toBe("a.aof.1.base.rdb");
    expect(manifest.loaded.map(({ name }) => name)).toEqual([
      "a.aof.1.base.rdb",
      "a.aof.1.incr.aof",
      "a.aof.2.incr.aof",
    ]);
    expect(manifest.history.length).toBe(1);
    expect(manifest.format()).toBe(text);
  });

  test("may hold comments, other keys, and keys in any order and case", () => {
    const manifest = parse(`# hello\nTYPE b x y Seq 3 FILE f\n`);
    expect(manifest.format()).toBe("file f seq 3 type b\n");
  });

  test("quotes names that need it", () => {
    const manifest = parse(BASE);
    const name = manifest.addIncrement(" file\n\xff\"' ");
    expect(manifest.format()).toBe(`${BASE}file " file\\n\\xff\\"' .1.incr.aof" seq 1 type i\n`);
    expect(parse(manifest.format()).increments[0].name).toBe(name);
  });

  test("numbers files on", () => {
    const manifest = parse(BASE + FIRST + SECOND);
    expect(manifest.addBase("a.aof", false)).toBe("a.aof.2.base.aof");
    expect(manifest.addIncrement("a.aof")).toBe("a.aof.3.incr.aof");
    expect(manifest.lastIncrement("a.aof")).toBe("a.aof.3.incr.aof");
    manifest.retireIncrements(true);
    expect(manifest.isDirty).toBe(true);
    expect(manifest.format()).toBe(
      "file a.aof.2.base.aof seq 2 type b\n" +
        "file a.aof.1.incr.aof seq 1 type h\n" +
        "file a.aof.2.incr.aof seq 2 type h\n" +
        "file a.aof.1.base.rdb seq 1 type h\n" +
        "file a.aof.3.incr.aof seq 3 type i\n",
    );
  });

  test("keeps numbers beyond 2^53", () => {
    const manifest = parse("file a seq 9007199254740993 type i\n");
    expect(manifest.addIncrement("a")).toBe("a.9007199254740994.incr.aof");
  });

  test("changes as a copy without the original", () => {
    const manifest = parse(BASE + FIRST);
    const copy = manifest.copy();
    copy.addBase("a.aof", true);
    copy.addIncrement("a.aof");
    copy.retireIncrements(true);
    expect(manifest.format()).toBe(BASE + FIRST);
    expect(manifest.isDirty).toBe(false);
  });

  test.each([
    ["", "Found an empty AOF manifest", null],
    ["file a seq 1 type i", "The AOF manifest file contains too long line", null],
    [
      `file a seq 1 type i${" ".repeat(1024)}\n`,
      "The AOF manifest file contains too long line",
      null,
    ],
    ["file a\0 seq 1 type i\n", "The AOF manifest file contains too long line", null],
    [`${BASE}\n${FIRST}`, "Invalid AOF manifest file format", 2],
    ["filx a seq 1 type i\n", "Invalid AOF manifest file format", 1],
    ["file a type i\n", "Invalid AOF manifest file format", 1],
    ["file a seq 1 type i more\n", "Invalid AOF manifest file format", 1],
    ['file "a seq 1 type i\n', "Invalid AOF manifest file format", 1],
    ["file a seq x type i\n", "Invalid AOF manifest file format", 1],
    ["file a seq 0 type i\n", "Invalid AOF manifest file format", 1],
    ['file a seq 1 type ""\n', "Invalid AOF manifest file format", 1],
    ["file ../a seq 1 type i\n", "File can't be a path, just a filename", 1],
    ["file a seq 1 type x\n", "Unknown AOF file type", 1],
    [BASE + BASE, "Found duplicate base file information", 2],
    [SECOND + FIRST, "Found a non-monotonic sequence number", 2],
    ["file a seq -1 type i\n", "Found a non-monotonic sequence number", 1],
  ])("that is wrong says so: %j", (text, message, line) => {
    const error = errorOf(text);
    expect(error.message).toBe(message);
    expect(error.line?.number ?? null).toBe(line);
  });

  test("of any bytes is read or refused, whatever is cut or flipped", () => {
    const text = bytesFromAscii(`# x\n${BASE}file "a\\n" seq 3 type h\n${FIRST}${SECOND}`);
    for (let length = 0; length <= text.length; length++) readable(text.subarray(0, length));
    for (let bit = 0; bit < text.length * 8; bit++) {
      const flipped = text.slice();
      flipped[bit >>> 3] ^= 1 << (bit & 7);
      readable(flipped);
    }
  });
});

/** Either an error of the kind that is logged, or a manifest that is read back the same. */
function readable(bytes: Uint8Array): void {
  try {
    const text = parseManifest(bytes).format();
    if (text !== "") expect(parse(text).format()).toBe(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ManifestError);
  }
}
