import { describe, expect, test } from "bun:test";
import {
  LATITUDE_MAX,
  type Place,
  STEP_MAX,
  bordersOf,
  cellOf,
  distanceOf,
  neighbourOf,
  placeOfScore,
  scoreOfCell,
  scoreOfPlace,
  writeGeohash,
} from "../../../src/base/geohash.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/geohash.test.ts";
const seed = seedOfRun();

/** Degrees by which a border may be off: far below the narrowest cell. */
const ROUNDING = 1e-9;

const PALERMO = { longitude: 13.361389, latitude: 38.115556 };
const CATANIA = { longitude: 15.087269, latitude: 37.502669 };

function geohashText(place: Place): string {
  const bytes = new Uint8Array(12);
  expect(writeGeohash(bytes, 1, place)).toBe(bytes.length);
  return Buffer.from(bytes.subarray(1)).toString("latin1");
}

describe("geohash", () => {
  test("has the worked examples of Redis's documentation", () => {
    expect(scoreOfPlace(PALERMO)).toBe(3479099956230698);
    expect(scoreOfPlace(CATANIA)).toBe(3479447370796909);
    expect(geohashText(placeOfScore(3479099956230698))).toBe("sqc8b49rny0");
    expect(geohashText(placeOfScore(3479447370796909))).toBe("sqdtr74hyu0");
    const distance = distanceOf(placeOfScore(3479099956230698), placeOfScore(3479447370796909));
    expect(distance).toBeCloseTo(166274.1516, 4);
  });

  test("gives back a place that is in the cell it was given", () =>
    withSeed(FILE, seed, (random) => {
      for (let i = 0; i < 2000; i++) {
        const place = {
          longitude: (random.next() / 2 ** 32) * 360 - 180,
          latitude: ((random.next() / 2 ** 32) * 2 - 1) * LATITUDE_MAX,
        };
        const score = scoreOfPlace(place);
        expect(scoreOfPlace(placeOfScore(score))).toBe(score);
        expect(distanceOf(place, placeOfScore(score))).toBeLessThan(1);
        const cell = cellOf(place, 1 + random.below(STEP_MAX));
        const { west, south, east, north } = bordersOf(cell);
        // A place on a border belongs to the cell above it, whose border is rounded.
        expect(place.longitude).toBeGreaterThan(west - ROUNDING);
        expect(place.longitude).toBeLessThan(east + ROUNDING);
        expect(place.latitude).toBeGreaterThan(south - ROUNDING);
        expect(place.latitude).toBeLessThan(north + ROUNDING);
        expect(score).toBeGreaterThanOrEqual(scoreOfCell(cell, 0));
        expect(score).toBeLessThan(scoreOfCell(cell, 1));
      }
    }));

  test("has neighbours around the edges of the grid", () => {
    const corner = { step: 3, column: 7, row: 0 };
    expect(neighbourOf(corner, 1, 0)).toEqual({ step: 3, column: 0, row: 0 });
    expect(neighbourOf(corner, 0, -1)).toEqual({ step: 3, column: 7, row: 7 });
    expect(neighbourOf(corner, -1, 1)).toEqual({ step: 3, column: 6, row: 1 });
  });
});
