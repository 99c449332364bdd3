/** Fields that expire: commands that the reference executable is too old for. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";

const FAR = 4102444800;
const NUMFIELDS = "-ERR numfields should be greater than 0 and match the provided number of fields";
const NX_CLASH = "-ERR NX and XX, GT or LT options at the same time are not compatible";
const GT_LT_CLASH = "-ERR GT and LT options at the same time are not compatible";
const SYNTAX = "-ERR syntax error";
const NOT_AN_INTEGER = "-ERR value is not an integer or out of range";

/** An array as formatReply writes it: numbers, bulk strings and nulls. */
function array(...elements: readonly (number | string | null)[]): string {
  const lines = elements.map((element) => {
    if (element === null) return "  null";
    return typeof element === "number" ? `  :${element}` : `  "${element}"`;
  });
  return [`array of ${elements.length}`, ...lines].join("\n");
}

describeWithPeers("fields that expire", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.testOurs("HEXPIRE, HTTL, HPERSIST and their relatives", (c) => {
    c.do("HSET", "h", "a", 1, "b", 2, "c", 3);
    c.ours(array(1, -2, 1), "HEXPIRE", "h", 1000, "FIELDS", 3, "a", "x", "b");
    c.ours(array(1000, -2, -1, 1000), "HTTL", "h", "FIELDS", 4, "a", "x", "c", "b");
    c.ours(array(1), "HPEXPIREAT", "h", FAR * 1000 + 1, "FIELDS", 1, "c");
    c.ours(array(FAR * 1000 + 1), "HPEXPIRETIME", "h", "FIELDS", 1, "c");
    c.ours(array(FAR), "HEXPIRETIME", "h", "FIELDS", 1, "c");
    c.ours(array(1), "HEXPIREAT", "h", FAR, "FIELDS", 1, "c");
    c.ours(array(1), "HPEXPIRE", "h", 5_000_000, "FIELDS", 1, "c");
    c.ours(array(0, 0, 0), "HEXPIRE", "h", 9000, "LT", "FIELDS", 3, "a", "c", "b");
    c.ours('"hashtable"', "OBJECT", "ENCODING", "h");
    c.ours(array(1, -2, 1, -1), "HPERSIST", "h", "FIELDS", 4, "a", "x", "b", "a");
    c.ours(array(-1, -1), "HPTTL", "h", "FIELDS", 2, "a", "b");
    c.ours(array(2, -2), "HEXPIRE", "h", 0, "FIELDS", 2, "a", "x");
    c.ours(array(2), "HPEXPIREAT", "h", 1, "FIELDS", 1, "b");
    c.ours("null", "HGET", "h", "a");
    c.ours(":1", "HLEN", "h");
    c.ours(array(2), "HEXPIREAT", "h", 1, "FIELDS", 1, "c");
    c.ours(":0", "EXISTS", "h");
    c.ours(array(-2, -2), "HEXPIRE", "missing", 5, "FIELDS", 2, "a", "b");
    c.ours(array(-2), "HTTL", "missing", "FIELDS", 1, "a");
    c.ours(array(-2), "HPERSIST", "missing", "FIELDS", 1, "a");
  });

  suite.testOurs("HRANDFIELD among fields of which most have expired", (c) => {
    c.do("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    const fields = Array.from({ length: 300 }, (_, i) => `f${i}`);
    c.do("HSET", "h", ...fields.flatMap((field) => [field, 1]), "left", 2);
    c.do("HPEXPIRE", "h", 1, "FIELDS", 300, ...fields);
    c.until(":0", "HSTRLEN", "h", "f299");
    c.ours('"left"', "HRANDFIELD", "h");
    c.ours(array("left"), "HRANDFIELD", "h", 1);
    c.ours(array("left"), "HRANDFIELD", "h", 50);
    c.ours(array("left"), "HRANDFIELD", "h", 1000);
    c.ours(array("left", "left", "left"), "HRANDFIELD", "h", -3);
    c.ours("array (empty)", "HRANDFIELD", "h", 0);
    c.do("HDEL", "h", "left");
    c.ours("null", "HRANDFIELD", "h");
    c.ours("array (empty)", "HRANDFIELD", "h", 3);
    c.ours("array (empty)", "HRANDFIELD", "h", -3);
    c.do("DEBUG", "SET-ACTIVE-EXPIRE", 1);
  });

  suite.testOurs("conditions of HEXPIRE", (c) => {
    c.do("HSET", "h", "a", 1, "b", 2);
    c.ours(array(0), "HEXPIRE", "h", 100, "XX", "FIELDS", 1, "a");
    c.ours(array(0), "HEXPIRE", "h", 100, "GT", "FIELDS", 1, "a");
    c.ours(array(1), "HEXPIRE", "h", 100, "NX", "FIELDS", 1, "a");
    c.ours(array(0), "HEXPIRE", "h", 100, "NX", "FIELDS", 1, "a");
    c.ours(array(1), "HEXPIRE", "h", 200, "GT", "FIELDS", 1, "a");
    c.ours(array(0), "HEXPIRE", "h", 100, "gt", "fields", 1, "a");
    c.ours(array(1), "HEXPIRE", "h", 100, "XX", "LT", "FIELDS", 1, "a");
    c.ours(array(1), "HEXPIRE", "h", 100, "LT", "FIELDS", 1, "b");
    c.ours(array(0, 0), "HEXPIREAT", "h", 1, "GT", "FIELDS", 2, "a", "b");
  });

  suite.testOurs("errors", (c) => {
    c.do("HSET", "h", "a", 1);
    c.do("SET", "string", "v");
    const wrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    const invalid = (name: string): string => `-ERR invalid expire time in '${name}' command`;
    for (const command of ["HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT"]) {
      const name = command.toLowerCase();
      c.ours(wrongType, command, "string", 1, "FIELDS", 1, "a");
      c.ours(NUMFIELDS, command, "h", 1, "FIELDS", 2, "a");
      c.ours(NUMFIELDS, command, "h", 1, "FIELDS", 0, "a");
      c.ours(NUMFIELDS, command, "h", 1, "FIELDS", -1, "a");
      c.ours(NUMFIELDS, command, "h", 1, "NX", "FELDS", 1, "a");
      c.ours(NOT_AN_INTEGER, command, "h", 1, "FIELDS", "x", "a");
      c.ours(NOT_AN_INTEGER, command, "h", "x", "FIELDS", 1, "a");
      c.ours(invalid(name), command, "h", -1, "FIELDS", 1, "a");
      c.ours(invalid(name), command, "h", "9223372036854775807", "FIELDS", 1, "a");
      c.ours("-ERR Unsupported option YY", command, "h", 1, "YY", "FIELDS", 1, "a");
      c.ours(NX_CLASH, command, "h", 1, "NX", "XX", "FIELDS", 1, "a");
      c.ours(GT_LT_CLASH, command, "h", 1, "GT", "LT", "FIELDS", 1, "a");
    }
    for (const command of ["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"]) {
      c.ours(wrongType, command, "string", "FIELDS", 1, "a");
      c.ours(SYNTAX, command, "h", "FIELDS", 2, "a");
      c.ours(SYNTAX, command, "h", "FIELDS", 0, "a");
      c.ours(NOT_AN_INTEGER, command, "h", "FIELDS", "x", "a");
    }
    c.ours(wrongType, "HPERSIST", "string", "FIELDS", 1, "a");
    c.ours(NUMFIELDS, "HPERSIST", "h", "FIELDS", 2, "a");
    c.ours(wrongType, "HGETDEL", "string", "FIELDS", 1, "a");
    c.ours(NUMFIELDS, "HGETDEL", "h", "FIELDS", 2, "a");
    c.ours(wrongType, "HGETEX", "string", "FIELDS", 1, "a");
    c.ours(NUMFIELDS, "HGETEX", "h", "EX", 1, "FIELDS", 2, "a");
    c.ours(SYNTAX, "HGETEX", "h", "EX", 1, "PX", 2, "FIELDS", 1, "a");
    c.ours(SYNTAX, "HGETEX", "h", "KEEPTTL", "FIELDS", 1, "a");
    c.ours(SYNTAX, "HGETEX", "h", "EX", "FIELDS", 1, "a");
    c.ours(invalid("hgetex"), "HGETEX", "h", "EX", -1, "FIELDS", 1, "a");
    c.ours(wrongType, "HSETEX", "string", "FIELDS", 1, "a", 1);
    c.ours(NUMFIELDS, "HSETEX", "h", "EX", 1, "FIELDS", 1, "a");
    c.ours(NUMFIELDS, "HSETEX", "h", "EX", 1, "FIELDS", 2, "a", 1);
    c.ours(SYNTAX, "HSETEX", "h", "FNX", "FXX", "FIELDS", 1, "a", 1);
    c.ours(SYNTAX, "HSETEX", "h", "NX", "XX", "FIELDS", 1, "a", 1);
    c.ours(SYNTAX, "HSETEX", "h", "PERSIST", "FIELDS", 1, "a", 1);
    c.ours(invalid("hsetex"), "HSETEX", "h", "PX", -1, "FIELDS", 1, "a", 1);
    c.ours(array("1"), "HGETEX", "h", "FIELDS", 1, "a");
  });

  suite.testOurs("HGETEX, HSETEX, HGETDEL", (c) => {
    c.ours(":1", "HSETEX", "h", "EX", 1000, "FIELDS", 2, "a", 1, "b", "two");
    c.ours(array(1000, 1000), "HTTL", "h", "FIELDS", 2, "a", "b");
    c.ours(":0", "HSETEX", "h", "NX", "FIELDS", 1, "a", 9);
    c.ours(":0", "HSETEX", "h", "FNX", "FIELDS", 2, "a", 9, "c", 9);
    c.ours(":0", "HSETEX", "h", "FXX", "FIELDS", 2, "a", 9, "c", 9);
    c.ours(":0", "HSETEX", "missing", "XX", "FIELDS", 1, "a", 9);
    c.ours(":0", "EXISTS", "missing");
    c.ours(":1", "HSETEX", "h", "KEEPTTL", "FIELDS", 1, "a", 5);
    c.ours(array(1000), "HTTL", "h", "FIELDS", 1, "a");
    c.ours(":1", "HSETEX", "h", "FXX", "FIELDS", 1, "a", 6);
    c.ours(array(-1), "HTTL", "h", "FIELDS", 1, "a");
    c.ours(array("6", null, "6"), "HGETEX", "h", "EXAT", FAR, "FIELDS", 3, "a", "x", "a");
    c.ours(array(FAR), "HEXPIRETIME", "h", "FIELDS", 1, "a");
    c.ours(array("6", "two"), "HGETEX", "h", "PERSIST", "FIELDS", 2, "a", "b");
    c.ours(array(-1, -1), "HTTL", "h", "FIELDS", 2, "a", "b");
    c.ours(array(null), "HGETEX", "missing", "EX", 5, "FIELDS", 1, "a");
    c.ours(array("6"), "HGETEX", "h", "PXAT", 1, "FIELDS", 1, "a");
    c.ours(":0", "HEXISTS", "h", "a");
    c.ours(":1", "HSETEX", "h", "PXAT", 1, "FIELDS", 1, "b", "x");
    c.ours(":0", "EXISTS", "h");
    c.do("HSET", "h", "a", 1, "b", 2, "c", 3);
    c.ours(array("1", null, "3"), "HGETDEL", "h", "FIELDS", 3, "a", "x", "c");
    c.ours(array("2", null), "HGETDEL", "h", "FIELDS", 2, "b", "b");
    c.ours(":0", "EXISTS", "h");
    c.ours(array(null), "HGETDEL", "h", "FIELDS", 1, "b");
  });

  suite.testOurs("which commands keep a field's expiry, and which drop it", (c) => {
    const expires = (field: string): void =>
      c.ours(array(1), "HEXPIREAT", "h", FAR, "FIELDS", 1, field);
    c.do("HSET", "h", "f", 1);
    expires("f");
    c.do("HINCRBY", "h", "f", 1);
    c.do("HINCRBYFLOAT", "h", "f", 1);
    c.ours(array(FAR), "HEXPIRETIME", "h", "FIELDS", 1, "f");
    c.do("HSET", "h", "f", 1);
    c.ours(array(-1), "HEXPIRETIME", "h", "FIELDS", 1, "f");
    expires("f");
    c.do("HMSET", "h", "f", 1);
    c.ours(array(-1), "HEXPIRETIME", "h", "FIELDS", 1, "f");
    expires("f");
    c.do("HDEL", "h", "f");
    c.do("HSET", "h", "f", 1);
    c.ours(array(-1), "HEXPIRETIME", "h", "FIELDS", 1, "f");
    expires("f");
    c.do("COPY", "h", "copy");
    c.do("RENAME", "copy", "renamed");
    c.ours(array(FAR), "HEXPIRETIME", "renamed", "FIELDS", 1, "f");
  });

  suite.testOurs("expired fields are invisible at once, and go by themselves", (c) => {
    c.do("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    c.do("HSET", "h", "a", 1, "b", 2, "c", 3);
    c.ours(array(1, 1), "HPEXPIRE", "h", 1, "FIELDS", 2, "a", "b");
    c.until(":0", "HSTRLEN", "h", "b");
    c.ours(array(null, null, "3"), "HMGET", "h", "a", "b", "c");
    c.ours(":0", "HEXISTS", "h", "a");
    c.ours(":0", "HSTRLEN", "h", "a");
    c.ours(array("c"), "HKEYS", "h");
    c.ours(array("3"), "HVALS", "h");
    c.ours(array("c"), "HRANDFIELD", "h", 5);
    c.ours(array(-2), "HTTL", "h", "FIELDS", 1, "a");
    c.ours(":0", "HDEL", "h", "a");
    c.ours(":1", "HSETNX", "h", "a", 5);
    c.ours(":7", "HINCRBY", "h", "b", 7);
    c.ours(array(-1, -1), "HTTL", "h", "FIELDS", 2, "a", "b");
    c.ours(array(1, 1, 1), "HPEXPIRE", "h", 1, "FIELDS", 3, "a", "b", "c");
    c.do("DEBUG", "SET-ACTIVE-EXPIRE", 1);
    c.until(":0", "EXISTS", "h");
  });
});
