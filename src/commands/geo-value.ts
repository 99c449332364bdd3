/** What the geo commands have in common: coordinates and units as arguments, and their replies. */
import { LATITUDE_MAX, LONGITUDE_MAX, type Place, placeOfScore } from "../base/geohash.ts";
import { writeInteger } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { SortedSets } from "../types/zset.ts";
import { doubleArgument } from "./arguments.ts";

/** Metres. */
const UNITS: readonly (readonly [string, number])[] = [
  ["M", 1],
  ["KM", 1000],
  ["FT", 0.3048],
  ["MI", 1609.34],
];
/** JavaScript prints larger numbers with an exponent. */
const PLAIN_MAX = 1e21;
const COORDINATE_DIGITS = 17;

/** A distance on its way to the reply. */
const distanceText = new Uint8Array(32);
const distanceView = new DataView(distanceText.buffer);
const POINT = 0x2e;

/** The place whose longitude and latitude begin at argument `index`; null after an error reply. */
export function placeArgument(args: Args, index: number, reply: ReplyWriter): Place | null {
  const longitude = doubleArgument(args, index, reply);
  if (Number.isNaN(longitude)) return null;
  const latitude = doubleArgument(args, index + 1, reply);
  if (Number.isNaN(latitude)) return null;
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    const pair = `${sixDecimals(longitude)},${sixDecimals(latitude)}`;
    reply.error(`ERR invalid longitude,latitude pair ${pair}`);
    return null;
  }
  return { longitude, latitude };
}

/** Metres of the unit at argument `index`; NaN after an error reply. */
export function unitArgument(args: Args, index: number, reply: ReplyWriter): number {
  for (const [word, metres] of UNITS) if (args.is(index, word)) return metres;
  reply.error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return NaN;
}

/** The place of the member at argument `index`, or null if it is not there. */
export function placeOfMember(zset: SortedSets, args: Args, index: number): Place | null {
  if (!zset.find(args.view, args.start[index], args.end[index])) return null;
  return placeOfScore(zset.score);
}

/** Replies with longitude and latitude. */
export function replyPlace(reply: ReplyWriter, place: Place): void {
  reply.array(2);
  reply.doubleText(decimalText(place.longitude));
  reply.doubleText(decimalText(place.latitude));
}

/** Replies with a distance: four digits behind the point, halves rounded to even. */
export function replyDistance(reply: ReplyWriter, distance: number): void {
  const scaled = distance * 10_000;
  let value = Math.round(scaled);
  if (value - scaled === 0.5 && value % 2 === 1) value--;
  if (value !== value) {
    // Rounding made the sine of places opposite each other more than 1.
    reply.bulkText("nan");
    return;
  }
  const whole = Math.floor(value / 10_000);
  const pointAt = writeInteger(distanceText, 0, whole);
  // A digit in front keeps the zeros behind the point, which then takes its place.
  const end = writeInteger(distanceText, pointAt, 10_000 + (value - whole * 10_000));
  distanceText[pointAt] = POINT;
  reply.bulk(distanceView, 0, end);
}

/** As C's "%.17Lf", without zeros at the end. Requires: below 10^21. */
function decimalText(value: number): string {
  const text = value.toFixed(COORDINATE_DIGITS).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

/** As C's "%f". */
function sixDecimals(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Math.abs(value) < PLAIN_MAX ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
