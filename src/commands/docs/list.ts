/**
 * COMMAND DOCS of the list commands.
 */
import { double, integer, key, many, oneOf, optional, since, string, token } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const END = oneOf("where", [token("LEFT"), token("RIGHT")]);
const FROM = oneOf("wherefrom", [token("LEFT"), token("RIGHT")]);
const TO = oneOf("whereto", [token("LEFT"), token("RIGHT")]);

export const listDocs = (): CommandDocTable => ({
  group: "list",
  commands: {
    blmove: {
      summary: "Moves an element from one list to another, and waits for one if need be.",
      since: "6.2.0",
      complexity: "O(1)",
      args: [key("source"), key("destination", 1), FROM, TO, double("timeout")],
    },
    blmpop: {
      summary: "Pops elements from the first list that has any, and waits if none has.",
      since: "7.0.0",
      complexity: "O(N+M) with N the number of keys and M the number of elements returned.",
      args: [
        double("timeout"),
        integer("numkeys"),
        many(key()),
        END,
        optional(integer("count", "COUNT")),
      ],
    },
    blpop: {
      summary: "Pops the head of the first list that has elements, and waits if none has.",
      since: "2.0.0",
      complexity: "O(N) with N the number of keys.",
      history: [["6.0.0", "`timeout` may have a fraction."]],
      args: [many(key()), double("timeout")],
    },
    brpop: {
      summary: "Pops the tail of the first list that has elements, and waits if none has.",
      since: "2.0.0",
      complexity: "O(N) with N the number of keys.",
      history: [["6.0.0", "`timeout` may have a fraction."]],
      args: [many(key()), double("timeout")],
    },
    brpoplpush: {
      summary: "Moves the tail of a list to the head of another, and waits for one if need be.",
      since: "2.2.0",
      complexity: "O(1)",
      deprecated: { since: "6.2.0", replacedBy: "`BLMOVE` with `RIGHT` and `LEFT`" },
      history: [["6.0.0", "`timeout` may have a fraction."]],
      args: [key("source"), key("destination", 1), double("timeout")],
    },
    lindex: {
      summary: "Returns the element at an index.",
      since: "1.0.0",
      complexity: "O(N) with N the distance from the nearer end, so O(1) for either end.",
      args: [key(), integer("index")],
    },
    linsert: {
      summary: "Inserts an element before or after another one.",
      since: "2.2.0",
      complexity:
        "O(N) with N the number of elements in front of the pivot, so O(1) near the head.",
      args: [
        key(),
        oneOf("where", [token("BEFORE"), token("AFTER")]),
        string("pivot"),
        string("element"),
      ],
    },
    llen: {
      summary: "Returns the length of a list.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    lmove: {
      summary: "Moves an element from one list to another.",
      since: "6.2.0",
      complexity: "O(1)",
      args: [key("source"), key("destination", 1), FROM, TO],
    },
    lmpop: {
      summary: "Pops elements from the first list that has any.",
      since: "7.0.0",
      complexity: "O(N+M) with N the number of keys and M the number of elements returned.",
      args: [integer("numkeys"), many(key()), END, optional(integer("count", "COUNT"))],
    },
    lpop: {
      summary: "Pops elements from the head of a list.",
      since: "1.0.0",
      complexity: "O(N) with N the number of elements returned.",
      history: [["6.2.0", "The argument `count`."]],
      args: [key(), optional(since("6.2.0", integer("count")))],
    },
    lpos: {
      summary: "Returns the indexes of the elements that equal a value.",
      since: "6.0.6",
      complexity: "O(N) with N the number of elements compared: the whole list, or MAXLEN.",
      args: [
        key(),
        string("element"),
        optional(integer("rank", "RANK")),
        optional(integer("num-matches", "COUNT")),
        optional(integer("len", "MAXLEN")),
      ],
    },
    lpush: {
      summary: "Adds elements to the head of a list, creating the key if needed.",
      since: "1.0.0",
      complexity: "O(N) with N the number of elements added.",
      history: [["2.4.0", "More than one `element`."]],
      args: [key(), many(string("element"))],
    },
    lpushx: {
      summary: "Adds elements to the head of a list that exists.",
      since: "2.2.0",
      complexity: "O(N) with N the number of elements added.",
      history: [["4.0.0", "More than one `element`."]],
      args: [key(), many(string("element"))],
    },
    lrange: {
      summary: "Returns the elements between two indexes.",
      since: "1.0.0",
      complexity:
        "O(S+N) with S the distance of the start from the nearer end and N the number of " +
        "elements returned.",
      args: [key(), integer("start"), integer("stop")],
    },
    lrem: {
      summary: "Removes elements that equal a value.",
      since: "1.0.0",
      complexity: "O(N+M) with N the length of the list and M the number of elements removed.",
      args: [key(), integer("count"), string("element")],
    },
    lset: {
      summary: "Replaces the element at an index.",
      since: "1.0.0",
      complexity: "O(N) with N the length of the list; O(1) at either end.",
      args: [key(), integer("index"), string("element")],
    },
    ltrim: {
      summary: "Keeps only the elements between two indexes.",
      since: "1.0.0",
      complexity: "O(N) with N the number of elements removed.",
      args: [key(), integer("start"), integer("stop")],
    },
    rpop: {
      summary: "Pops elements from the tail of a list.",
      since: "1.0.0",
      complexity: "O(N) with N the number of elements returned.",
      history: [["6.2.0", "The argument `count`."]],
      args: [key(), optional(since("6.2.0", integer("count")))],
    },
    rpoplpush: {
      summary: "Moves the tail of a list to the head of another.",
      since: "1.2.0",
      complexity: "O(1)",
      deprecated: { since: "6.2.0", replacedBy: "`LMOVE` with `RIGHT` and `LEFT`" },
      args: [key("source"), key("destination", 1)],
    },
    rpush: {
      summary: "Adds elements to the tail of a list, creating the key if needed.",
      since: "1.0.0",
      complexity: "O(N) with N the number of elements added.",
      history: [["2.4.0", "More than one `element`."]],
      args: [key(), many(string("element"))],
    },
    rpushx: {
      summary: "Adds elements to the tail of a list that exists.",
      since: "2.2.0",
      complexity: "O(N) with N the number of elements added.",
      history: [["4.0.0", "More than one `element`."]],
      args: [key(), many(string("element"))],
    },
  },
});
