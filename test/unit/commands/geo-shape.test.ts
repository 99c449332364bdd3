import { expect, test } from "bun:test";
import { type Place, distanceOf, latitudeDistance } from "../../../src/base/geohash.ts";
import { Measure } from "../../../src/commands/geo-shape.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/commands/geo-shape.test.ts";
const seed = seedOfRun();

/** Limits on, next to, and far from what is compared with them. */
const FACTORS = [1, 1 - 1e-16, 1 + 1e-15, 1 - 1e-15, 1 - 1e-9, 1 + 1e-9, 1 + 2e-9, 0.5, 2, 0];

function between(random: Random, least: number, greatest: number): number {
  return least + (random.next() / 2 ** 32) * (greatest - least);
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(value, limit));
}

test("a place is in a circle or a box exactly if its distances are", () =>
  withSeed(FILE, seed, (random) => {
    for (let round = 0; round < 5000; round++) {
      const longitude = between(random, -180, 180);
      const latitude = between(random, -85, 85);
      const far = 10 ** between(random, -8, 2);
      const place: Place = {
        longitude: clamp(longitude + between(random, -far, far), 180),
        latitude: clamp(latitude + between(random, -far, far), 85),
      };
      const centre: Place = { longitude, latitude };
      const distance = distanceOf(centre, place);
      const north = latitudeDistance(place.latitude, latitude);
      const aside = distanceOf(place, { longitude, latitude: place.latitude });
      for (const factor of FACTORS) {
        const radius = distance * factor;
        const inCircle = new Measure({ kind: "circle", radius }, centre);
        const inCircleDistance = distance > radius ? -1 : distance;
        expect(inCircle.distanceTo(place.longitude, place.latitude)).toBe(inCircleDistance);
        const width = 2 * aside * factor;
        const height = 2 * north * random.pick(FACTORS);
        const inBox = new Measure({ kind: "box", width, height }, centre);
        const isOutside = north > height / 2 || aside > width / 2;
        const inBoxDistance = isOutside ? -1 : distance;
        expect(inBox.distanceTo(place.longitude, place.latitude)).toBe(inBoxDistance);
      }
    }
  }));
