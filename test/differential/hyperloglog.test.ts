/** HyperLogLog commands, against the reference server: the strings must be the same bytes. */
import { fillRandom, seededPrng } from "../../src/base/prng.ts";
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { seedOfRun } from "../support/seed.ts";

describeWithPeers("HyperLogLog commands", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("PFADD and PFCOUNT", (c) => {
    c.do("PFADD", "k");
    c.do("GET", "k");
    c.do("PFADD", "k");
    c.do("PFCOUNT", "k");
    c.do("OBJECT", "ENCODING", "k");
    for (const element of ["a", "b", "a", "", "abcdefg", "abcdefgh", "abcdefghi", "\xff\xfe"]) {
      c.do("PFADD", "k", element);
      c.do("GET", "k");
      c.do("PFCOUNT", "k");
      c.do("GET", "k");
    }
    c.do("PFADD", "k", "a", "b", "c", "d");
    c.do("PFCOUNT", "k");
    c.do("PFCOUNT", "none");
    c.do("PFCOUNT", "none", "none", "k");
    c.fail("PFADD");
    c.fail("PFCOUNT");
  });

  suite.test("elements of every length make the same bytes", (c) => {
    const prng = seededPrng(seedOfRun());
    for (let length = 0; length < 70; length++) {
      const element = new Uint8Array(length);
      fillRandom(prng, element);
      c.do(
        "PFADD",
        "k",
        element,
        element.map((byte) => byte | 0x80),
      );
      c.do("GET", "k");
      c.do("PFCOUNT", "k");
    }
  });

  for (const bytesMax of [0, 30, 200, 1000, 3000, 15000, 100000]) {
    suite.test(`growing until dense beyond ${bytesMax} bytes`, (c) => {
      c.do("CONFIG", "SET", "hll-sparse-max-bytes", bytesMax);
      for (let batch = 0; batch < 60; batch++) {
        const elements = Array.from({ length: 1 + batch * 2 }, (_, i) => `${batch}:${i}`);
        c.do("PFADD", "k", ...elements);
        c.do("PFDEBUG", "ENCODING", "k");
        c.do("STRLEN", "k");
        if (batch % 6 === 0) c.do("GET", "k");
        if (batch % 4 === 0) c.do("PFCOUNT", "k");
      }
      c.do("GET", "k");
      c.do("OBJECT", "ENCODING", "k");
      c.do("CONFIG", "SET", "hll-sparse-max-bytes", 3000);
    });
  }

  suite.test("large cardinalities", (c) => {
    for (let batch = 0; batch < 20; batch++) {
      c.do("PFADD", "k", ...Array.from({ length: 5000 }, (_, i) => batch * 5000 + i));
      c.do("PFCOUNT", "k");
    }
    c.do("GET", "k");
    c.do("PFDEBUG", "GETREG", "k");
  });

  suite.test("PFMERGE", (c) => {
    const some = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => `element:${from + i}`);
    c.do("PFMERGE", "new");
    c.do("GET", "new");
    c.do("PFMERGE", "new2", "none", "none2");
    c.do("GET", "new2");
    c.do("PFADD", "a", ...some(0, 100));
    c.do("PFADD", "b", ...some(50, 300));
    c.do("PFADD", "c", ...some(200, 3000));
    c.do("PFADD", "d", ...some(0, 1200));
    c.do("PFADD", "e", ...some(1100, 1200));
    c.do("PFMERGE", "ab", "a", "b");
    c.do("GET", "ab");
    c.do("PFCOUNT", "ab");
    c.do("PFCOUNT", "a", "b");
    c.do("PFMERGE", "a", "b");
    c.do("GET", "a");
    c.do("EXPIRE", "a", 1000);
    c.do("PFMERGE", "a", "c");
    c.do("PERSIST", "a");
    c.do("GET", "a");
    c.do("PFMERGE", "a");
    c.do("PFDEBUG", "ENCODING", "d");
    c.do("PFMERGE", "de", "d", "e");
    c.do("PFDEBUG", "ENCODING", "de");
    c.do("GET", "de");
    c.do("PFCOUNT", "a", "b", "c", "d", "e", "none");
    c.do("PFCOUNT", "de");
    c.fail("PFMERGE");
  });

  suite.test("PFDEBUG", (c) => {
    c.do("PFADD", "k", "a", "b", "c", "d", "e", "f");
    c.do("PFDEBUG", "DECODE", "k");
    c.do("PFDEBUG", "ENCODING", "k");
    c.do("PFDEBUG", "GETREG", "k");
    c.do("PFDEBUG", "ENCODING", "k");
    c.fail("PFDEBUG", "DECODE", "k");
    c.do("PFDEBUG", "TODENSE", "k");
    c.do("PFADD", "l", "a", "b");
    c.do("PFDEBUG", "todense", "l");
    c.do("GET", "l");
    c.fail("PFDEBUG", "GETREG", "none");
    c.fail("PFDEBUG", "other", "k");
    c.fail("PFDEBUG", "GETREG");
    c.do("PFSELFTEST");
  });

  suite.test("strings that are none", (c) => {
    c.do("SET", "text", "hello");
    c.do("SET", "number", "1234567890123456789");
    c.do("SET", "header", "HYLL\x01\x00\x00\x00");
    c.do("SET", "dense", `HYLL\x00${"\x00".repeat(11)}abc`);
    c.do("SET", "other", `HYLL\x02${"\x00".repeat(30)}`);
    for (const key of ["text", "number", "header", "dense", "other"]) {
      c.fail("PFADD", key, "a");
      c.fail("PFCOUNT", key);
      c.fail("PFCOUNT", key, "none");
      c.fail("PFMERGE", key);
      c.fail("PFMERGE", "d", key);
      c.fail("PFDEBUG", "ENCODING", key);
    }
    c.where("rpush", () => {
      c.do("RPUSH", "list", "a");
      c.fail("PFADD", "list", "a");
      c.fail("PFCOUNT", "list");
      c.fail("PFMERGE", "d", "list");
      c.fail("PFDEBUG", "ENCODING", "list");
    });
  });

  suite.test("corrupt sparse strings", (c) => {
    const header = "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80";
    const runs = ["", "\x00", "\x7f\xff\x00", "\x7f\xfe", "\x7f\xff\x7f\xff", "\x80", "\x3f\x83"];
    for (const [i, text] of runs.entries()) {
      const bytes = Buffer.from(header + text, "latin1");
      c.do("SET", `k${i}`, bytes);
      c.fail("PFCOUNT", `k${i}`);
      c.fail("PFCOUNT", `k${i}`, "none");
      c.fail("PFMERGE", "d", `k${i}`);
      c.do("PFDEBUG", "DECODE", `k${i}`);
      c.fail("PFDEBUG", "TODENSE", `k${i}`);
      c.do("GET", `k${i}`);
    }
    c.do("EXISTS", "d");
    c.fail("PFADD", "k0", "a");
    c.do("SETRANGE", "k0", 8, "\x01\x02\x03\x04\x05\x06\x07\x08");
    c.do("PFCOUNT", "k0");
    c.do("SETRANGE", "k0", 8, "\x7f\x7f\x7f\x7f\x7f\x7f\x1f\x00");
    c.do("PFCOUNT", "k0");
  });

  suite.test("dense strings with impossible registers", (c) => {
    const header = Buffer.from("HYLL\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80", "latin1");
    for (const byte of [0xff, 0xcf, 0x41, 0x33]) {
      c.do("SET", "k", Buffer.concat([header, Buffer.alloc(12288, byte)]));
      c.do("PFCOUNT", "k");
      c.do("PFCOUNT", "k", "none");
      c.do("PFCOUNT", "k");
      c.do("PFADD", "k", "a", "b", "c");
    }
  });

  suite.testOurs("SIMD can be chosen, and makes no difference", (c) => {
    c.ours("+disabled", "PFDEBUG", "SIMD", "on");
    c.ours("+disabled", "PFDEBUG", "SIMD", "OFF");
    c.ours("-ERR Argument must be ON or OFF", "PFDEBUG", "SIMD", "maybe");
  });
});
