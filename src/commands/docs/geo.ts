/**
 * COMMAND DOCS of the geospatial commands.
 *
 * BYPOLYGON comes from Valkey 9.
 */
import {
  block,
  double,
  integer,
  key,
  many,
  oneOf,
  optional,
  shownAs,
  since,
  string,
  token,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const UNIT = oneOf("unit", [token("M"), token("KM"), token("FT"), token("MI")]);
const ORDER = optional(oneOf("order", [token("ASC"), token("DESC")]));
const COUNT = optional(block("count-block", [integer("count", "COUNT"), optional(token("ANY"))]));
const COUNT_OR_ANY = optional(
  block("count-block", [integer("count", "COUNT"), optional(since("6.2.0", token("ANY")))]),
);
const STORE = optional(
  oneOf("store", [
    shownAs("key", key("storekey", 1, "STORE")),
    shownAs("key", key("storedistkey", 2, "STOREDIST")),
  ]),
);
const SEARCH_AREA = oneOf("search-type", [
  block("radius-or-box", [
    oneOf("from", [
      string("member", "FROMMEMBER"),
      block("fromlonlat", [double("longitude"), double("latitude")], "FROMLONLAT"),
    ]),
    oneOf("by", [
      block("circle", [double("radius", "BYRADIUS"), UNIT]),
      block("box", [double("width", "BYBOX"), double("height"), UNIT]),
    ]),
  ]),
  since(
    "9.0.0",
    block("polygon", [
      integer("num-vertices", "BYPOLYGON"),
      many(block("vertices", [double("longitude"), double("latitude")])),
    ]),
  ),
]);

export const geoDocs = (): CommandDocTable => ({
  group: "geo",
  commands: {
    geoadd: {
      summary: "Adds members with coordinates to a geospatial index.",
      since: "3.2.0",
      complexity: "O(log(N)) a member, with N the size of the index.",
      history: [["6.2.0", "The options `CH`, `NX` and `XX`."]],
      args: [
        key(),
        optional(since("6.2.0", oneOf("condition", [token("NX"), token("XX")]))),
        optional(since("6.2.0", token("CH", "change"))),
        many(block("data", [double("longitude"), double("latitude"), string("member")])),
      ],
    },
    geodist: {
      summary: "Returns the distance between two members.",
      since: "3.2.0",
      complexity: "O(1)",
      args: [key(), string("member1"), string("member2"), optional(UNIT)],
    },
    geohash: {
      summary: "Returns the geohash strings of members.",
      since: "3.2.0",
      complexity: "O(1) a member.",
      args: [key(), optional(many(string("member")))],
    },
    geopos: {
      summary: "Returns the coordinates of members.",
      since: "3.2.0",
      complexity: "O(1) a member.",
      args: [key(), optional(many(string("member")))],
    },
    georadius: {
      summary: "Finds the members within a distance from a point, and may store them.",
      since: "3.2.0",
      complexity:
        "O(N+log(M)) with N the number of members in the box around the circle and M the size of " +
        "the index.",
      deprecated: {
        since: "6.2.0",
        replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS`",
      },
      history: [
        ["6.2.0", "The option `ANY` of `COUNT`."],
        ["7.0.0", "Units in upper case."],
      ],
      args: [
        key(),
        double("longitude"),
        double("latitude"),
        double("radius"),
        UNIT,
        optional(token("WITHCOORD")),
        optional(token("WITHDIST")),
        optional(token("WITHHASH")),
        COUNT_OR_ANY,
        ORDER,
        STORE,
      ],
    },
    georadius_ro: {
      summary: "Finds the members within a distance from a point.",
      since: "3.2.10",
      complexity:
        "O(N+log(M)) with N the number of members in the box around the circle and M the size of " +
        "the index.",
      deprecated: { since: "6.2.0", replacedBy: "`GEOSEARCH` with `BYRADIUS`" },
      history: [
        ["6.2.0", "The option `ANY` of `COUNT`."],
        ["7.0.0", "Units in upper case."],
      ],
      args: [
        key(),
        double("longitude"),
        double("latitude"),
        double("radius"),
        UNIT,
        optional(token("WITHCOORD")),
        optional(token("WITHDIST")),
        optional(token("WITHHASH")),
        COUNT_OR_ANY,
        ORDER,
      ],
    },
    georadiusbymember: {
      summary: "Finds the members within a distance from a member, and may store them.",
      since: "3.2.0",
      complexity:
        "O(N+log(M)) with N the number of members in the box around the circle and M the size of " +
        "the index.",
      deprecated: {
        since: "6.2.0",
        replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS` and `FROMMEMBER`",
      },
      history: [
        ["6.2.0", "The option `ANY` of `COUNT`."],
        ["7.0.0", "Units in upper case."],
      ],
      args: [
        key(),
        string("member"),
        double("radius"),
        UNIT,
        optional(token("WITHCOORD")),
        optional(token("WITHDIST")),
        optional(token("WITHHASH")),
        COUNT,
        ORDER,
        STORE,
      ],
    },
    georadiusbymember_ro: {
      summary: "Finds the members within a distance from a member.",
      since: "3.2.10",
      complexity:
        "O(N+log(M)) with N the number of members in the box around the circle and M the size of " +
        "the index.",
      deprecated: { since: "6.2.0", replacedBy: "`GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`" },
      history: [
        ["6.2.0", "The option `ANY` of `COUNT`."],
        ["7.0.0", "Units in upper case."],
      ],
      args: [
        key(),
        string("member"),
        double("radius"),
        UNIT,
        optional(token("WITHCOORD")),
        optional(token("WITHDIST")),
        optional(token("WITHHASH")),
        COUNT,
        ORDER,
      ],
    },
    geosearch: {
      summary: "Finds the members inside a circle, a box or a polygon.",
      since: "6.2.0",
      complexity:
        "O(N+log(M)) with N the number of members in the box around the shape and M the number " +
        "inside the shape.",
      history: [
        ["7.0.0", "Units in upper case."],
        ["9.0.0", "The shape `BYPOLYGON`."],
      ],
      args: [
        key(),
        SEARCH_AREA,
        ORDER,
        COUNT,
        optional(token("WITHCOORD")),
        optional(token("WITHDIST")),
        optional(token("WITHHASH")),
      ],
    },
    geosearchstore: {
      summary: "Stores the members inside a circle, a box or a polygon.",
      since: "6.2.0",
      complexity:
        "O(N+log(M)) with N the number of members in the box around the shape and M the number " +
        "inside the shape.",
      history: [
        ["7.0.0", "Units in upper case."],
        ["9.0.0", "The shape `BYPOLYGON`."],
      ],
      args: [
        key("destination"),
        key("source", 1),
        SEARCH_AREA,
        ORDER,
        COUNT,
        optional(token("STOREDIST")),
      ],
    },
  },
});
