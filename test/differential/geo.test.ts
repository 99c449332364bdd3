/** Geo commands, against the reference server. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { Random, seedOfRun } from "../support/seed.ts";

const FILE = "test/differential/geo.test.ts";

const COORDINATES = [
  ["13.361389", "38.115556"],
  ["15.087269", "37.502669"],
  ["0", "0"],
  ["-180", "-85.05112878"],
  ["180", "85.05112878"],
  ["180", "0"],
  ["180.0001", "0"],
  ["0", "85.05112879"],
  ["1e300", "-1e21"],
  ["inf", "-inf"],
  ["nan", "0"],
  ["a", "0"],
  ["0", "b"],
  ["-0", "-0"],
  ["1e-9", "-1e-9"],
];

describeWithPeers("geo", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("GEOADD, GEOPOS, GEOHASH and GEODIST at any place", (c) => {
    for (const [i, place] of COORDINATES.entries()) {
      c.either("GEOADD", "k", ...place, `m${i}`);
      c.do("ZSCORE", "k", `m${i}`);
      c.do("GEOPOS", "k", `m${i}`);
      c.do("GEOHASH", "k", `m${i}`);
      for (const unit of ["m", "KM", "ft", "mi", "yd"])
        c.either("GEODIST", "k", "m0", `m${i}`, unit);
      c.do("GEODIST", "k", "m1", `m${i}`);
    }
    c.do("GEOPOS", "k", "m0", "none", "m1");
    c.do("GEOHASH", "k", "m0", "none", "m1");
    c.do("GEOPOS", "none", "a", "b");
    c.do("GEOHASH", "none", "a");
    c.do("GEOPOS", "k");
    c.do("GEOHASH", "k");
    c.do("GEODIST", "none", "a", "b");
    c.do("GEODIST", "k", "m0", "none");
    c.fail("GEODIST", "k", "m0", "m1", "m", "x");
    c.do("SET", "s", "v");
    for (const args of [
      ["GEOADD", "s", "0", "0", "a"],
      ["GEOPOS", "s", "a"],
      ["GEOHASH", "s", "a"],
      ["GEODIST", "s", "a", "b"],
      ["GEOSEARCH", "s", "FROMLONLAT", "0", "0", "BYRADIUS", "1", "m"],
      ["GEORADIUS", "s", "0", "0", "1", "m"],
      ["GEOADD", "k", "0", "0"],
      ["GEOADD", "k", "0", "0", "a", "1"],
      ["GEOADD", "k", "NX", "XX", "0", "0", "a"],
      ["GEOADD", "k", "NX", "CH", "XX"],
    ]) {
      c.fail(...args);
    }
    c.do("GEOADD", "k", "NX", "1", "1", "m0");
    c.do("GEOADD", "k", "XX", "CH", "1", "1", "m0", "2", "2", "new");
    c.do("GEOADD", "k", "CH", "3", "3", "m0", "2", "2", "new");
  });

  suite.test("scores that no place has", (c) => {
    for (const score of [
      "-1",
      "0",
      "0.5",
      "1e15",
      "9007199254740992",
      "1e19",
      "1e300",
      "inf",
      "-inf",
    ]) {
      c.do("ZADD", "k", score, score);
      c.do("GEOPOS", "k", score);
      c.do("GEOHASH", "k", score);
      c.do("GEODIST", "k", "0", score);
    }
    c.do("GEOSEARCH", "k", "FROMLONLAT", "-180", "-85", "BYRADIUS", "10000", "km", "WITHDIST");
  });

  suite.test("arguments of searches", (c) => {
    c.do("GEOADD", "k", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania");
    const searches = [
      "FROMMEMBER Palermo BYRADIUS 200 km ASC WITHDIST WITHHASH WITHCOORD",
      "FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHCOORD WITHDIST",
      "FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1",
      "FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 ANY",
      "FROMLONLAT 15 37 BYRADIUS 200 km ANY",
      "FROMLONLAT 15 37 BYRADIUS 200 km COUNT 0",
      "FROMLONLAT 15 37 BYRADIUS 200 km COUNT x",
      "FROMLONLAT 15 37 BYRADIUS 200 km COUNT",
      "FROMLONLAT 15 37 BYRADIUS -1 km",
      "FROMLONLAT 15 37 BYRADIUS x km",
      "FROMLONLAT 15 37 BYRADIUS 1 yd",
      "FROMLONLAT 15 37 BYBOX -1 1 km",
      "FROMLONLAT 15 37 BYBOX x 1 km",
      "FROMLONLAT 15 37 BYBOX 1 x km",
      "FROMLONLAT 15 37 BYBOX 1 1 yd",
      "FROMLONLAT 15 37 BYRADIUS 200 km BYBOX 1 1 km",
      "FROMLONLAT 15 37 BYRADIUS 200 km BYRADIUS 1 m",
      "FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 200 km",
      "FROMMEMBER Palermo FROMMEMBER Catania BYRADIUS 1 km",
      "FROMMEMBER none BYRADIUS 200 km",
      "FROMMEMBER Palermo WITHDIST WITHDIST ASC",
      "BYRADIUS 200 km ASC WITHDIST WITHHASH",
      "FROMLONLAT 200 37 BYRADIUS 200 km",
      "FROMLONLAT 15 37 BYRADIUS 200 km STORE d",
      "FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST",
      "FROMLONLAT 15 37 BYRADIUS inf km",
      "FROMLONLAT 15 37 BYRADIUS 0 m",
      "FROMMEMBER Palermo BYRADIUS 0 m WITHDIST",
    ].map((line) => line.split(" "));
    for (const search of searches) {
      c.either("GEOSEARCH", "k", ...search);
      c.either("geosearch", "none", ...search);
      c.either("GEOSEARCHSTORE", "d", "k", ...search);
      c.do("ZRANGE", "d", 0, -1, "WITHSCORES");
      c.either("GEOSEARCHSTORE", "d", "none", ...search);
    }
    const options = ["", "ASC", "WITHDIST", "WITHHASH DESC", "COUNT 1", "COUNT 1 ANY WITHCOORD"]
      .concat("STORE d", "STOREDIST d", "STORE", "STORE d WITHDIST", "STORE a STOREDIST b", "BAD")
      .map((line) => line.split(" ").filter((word) => word !== ""));
    for (const option of options) {
      for (const name of ["GEORADIUS", "GEORADIUS_RO"]) {
        c.either(name, "k", "15", "37", "200", "km", ...option);
        c.either(name, "none", "15", "37", "200", "km", ...option);
        c.either(name, "k", "15", "97", "200", "km", ...option);
        c.either(name, "k", "15", "37", "-200", "km", ...option);
      }
      for (const name of ["GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"]) {
        c.either(name, "k", "Palermo", "200", "km", ...option);
        c.either(name, "k", "none", "200", "km", ...option);
        c.either(name, "none", "Palermo", "x", "yd", ...option);
      }
      c.do("ZRANGE", "d", 0, -1, "WITHSCORES");
    }
  });

  suite.test("random searches", (c) => {
    const seed = seedOfRun();
    console.log(`SEED=${seed} bun test ${FILE}`);
    const random = new Random(seed);
    const between = (min: number, max: number): string =>
      (min + random.below((max - min) * 10_000) / 10_000).toFixed(4);
    for (const [key, size] of [
      ["small", 50],
      ["large", 500],
    ] as const) {
      for (let i = 0; i < size; i++) {
        const isNear = random.oneIn(2);
        const longitude = isNear ? between(10, 12) : between(-180, 180);
        const latitude = isNear ? between(50, 52) : between(-85, 85);
        c.do("GEOADD", key, longitude, latitude, `m${i}`);
      }
      for (let i = 0; i < 150; i++) {
        const far = random.oneIn(3);
        const from = random.oneIn(3)
          ? ["FROMMEMBER", `m${random.below(size)}`]
          : [
              "FROMLONLAT",
              between(far ? -180 : 9, far ? 180 : 13),
              between(far ? -85 : 49, far ? 85 : 53),
            ];
        const length = (): string => between(0, random.pick([1, 100, 3000, 30_000]));
        const by = random.oneIn(2)
          ? ["BYRADIUS", length(), "km"]
          : ["BYBOX", length(), length(), random.pick(["km", "mi"])];
        c.do("GEOSEARCH", key, ...from, ...by);
        c.do("GEOSEARCH", key, ...from, ...by, "ASC", "WITHDIST", "WITHCOORD", "WITHHASH");
        c.do("GEOSEARCH", key, ...from, ...by, "COUNT", 5, "ANY");
        c.do("GEOSEARCHSTORE", "d", key, ...from, ...by, "STOREDIST");
        c.do("ZRANGE", "d", 0, -1, "WITHSCORES");
      }
    }
  });

  suite.testOurs("searches in polygons", (c) => {
    c.do("GEOADD", "k", "0.5", "0.5", "inside", "0.1", "0.9", "corner", "2", "2", "outside");
    c.ours('array of 1\n  "inside"', "GEOSEARCH", "k", "BYPOLYGON", 3, 0, 0, 1, 0, 0.6, 1.2);
    c.ours(
      'array of 2\n  "inside"\n  "corner"',
      "GEOSEARCH",
      "k",
      "BYPOLYGON",
      4,
      0,
      0,
      1,
      0,
      1,
      1,
      0,
      1,
      "ASC",
    );
    c.ours(":2", "GEOSEARCHSTORE", "d", "k", "BYPOLYGON", 4, 0, 0, 1, 0, 1, 1, 0, 1, "STOREDIST");
    const square = ["BYPOLYGON", 4, 0, 0, 1, 0, 1, 1, 0, 1];
    for (const [text, ...args] of [
      ["must have at least 3 vertices", "BYPOLYGON", 2, 0, 0, 1, 0, "ASC", "ASC"],
      ["must have at least 3 vertices", "BYPOLYGON", 5, 0, 0, 1, 0, 1, 1],
      ["invalid number of vertices", "BYPOLYGON", "x", 0, 0, 1, 0, 1, 1],
      ["invalid longitude,latitude pair", "BYPOLYGON", 3, 0, 0, 1, 0, 1, 100],
      ["syntax error", ...square, "BYRADIUS", 1, "m"],
      ["syntax error", ...square, "FROMLONLAT", 1, 1],
      ["syntax error", "BYBOX", 1, 1, "m", ...square],
      ["syntax error", "FROMMEMBER", "inside", ...square],
    ] as const) {
      c.failContaining(text, "GEOSEARCH", "k", ...args);
    }
  });
});
