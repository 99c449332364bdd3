/**
 * COMMAND DOCS of the bitmap commands.
 *
 * The operations DIFF, DIFF1, ANDOR and ONE of BITOP come from Redis 8.2.
 */
import {
  block,
  integer,
  key,
  many,
  manyWithToken,
  oneOf,
  optional,
  since,
  string,
  token,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const bitmapDocs = (): CommandDocTable => ({
  group: "bitmap",
  commands: {
    bitcount: {
      summary: "Counts the bits that are set in a string or a part of it.",
      since: "2.6.0",
      complexity: "O(N)",
      history: [
        ["7.0.0", "The units `BYTE` and `BIT`."],
        ["8.0.0", "`end` may be left out, and is then the end of the string."],
      ],
      args: [
        key(),
        optional(
          block("range", [
            integer("start"),
            optional(
              block("end-unit-block", [
                integer("end"),
                optional(since("7.0.0", oneOf("unit", [token("BYTE"), token("BIT")]))),
              ]),
            ),
          ]),
        ),
      ],
    },
    bitfield: {
      summary: "Reads and changes integers of any width inside a string.",
      since: "3.2.0",
      complexity: "O(1) an operation.",
      args: [
        key(),
        optional(
          many(
            oneOf("operation", [
              block("get-block", [string("encoding"), integer("offset")], "GET"),
              block("write", [
                optional(
                  oneOf("overflow-block", [token("WRAP"), token("SAT"), token("FAIL")], "OVERFLOW"),
                ),
                oneOf("write-operation", [
                  block(
                    "set-block",
                    [string("encoding"), integer("offset"), integer("value")],
                    "SET",
                  ),
                  block(
                    "incrby-block",
                    [string("encoding"), integer("offset"), integer("increment")],
                    "INCRBY",
                  ),
                ]),
              ]),
            ]),
          ),
        ),
      ],
    },
    bitfield_ro: {
      summary: "Reads integers of any width inside a string.",
      since: "6.0.0",
      complexity: "O(1) an operation.",
      args: [
        key(),
        optional(manyWithToken(block("get-block", [string("encoding"), integer("offset")], "GET"))),
      ],
    },
    bitop: {
      summary: "Combines strings bit by bit and stores the result.",
      since: "2.6.0",
      complexity: "O(N)",
      history: [["8.2.0", "The operations `DIFF`, `DIFF1`, `ANDOR` and `ONE`."]],
      args: [
        oneOf("operation", [
          token("AND"),
          token("OR"),
          token("XOR"),
          token("NOT"),
          since("8.2.0", token("DIFF")),
          since("8.2.0", token("DIFF1")),
          since("8.2.0", token("ANDOR")),
          since("8.2.0", token("ONE")),
        ]),
        key("destkey"),
        many(key("key", 1)),
      ],
    },
    bitpos: {
      summary: "Finds the first bit that is set, or clear.",
      since: "2.8.7",
      complexity: "O(N)",
      history: [["7.0.0", "The units `BYTE` and `BIT`."]],
      args: [
        key(),
        integer("bit"),
        optional(
          block("range", [
            integer("start"),
            optional(
              block("end-unit-block", [
                integer("end"),
                optional(since("7.0.0", oneOf("unit", [token("BYTE"), token("BIT")]))),
              ]),
            ),
          ]),
        ),
      ],
    },
    getbit: {
      summary: "Returns the bit at an offset.",
      since: "2.2.0",
      complexity: "O(1)",
      args: [key(), integer("offset")],
    },
    setbit: {
      summary: "Sets or clears the bit at an offset, growing the string if needed.",
      since: "2.2.0",
      complexity: "O(1)",
      args: [key(), integer("offset"), integer("value")],
    },
  },
});
