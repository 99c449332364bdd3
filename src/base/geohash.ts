/**
 * Places on earth as numbers of 52 bits, which the geo commands keep as scores; and distances.
 *
 * Longitude and latitude are divided into 2^26 columns and rows each; their bits in turns, the
 * column's first, make the number. Its leading 2 * step bits name a cell of a coarser grid of
 * 2^step columns and rows, whose places are neighbours in the order of the numbers.
 *
 *     number   column 25 | row 25 | column 24 | row 24 | ... | column 0 | row 0
 *
 * Rows reach from -85.05112878 to 85.05112878 degrees, as in EPSG:3857, so that cells are squares
 * on a Mercator map. The geohash that people exchange has rows from -90 to 90, and base 32.
 *
 * Distances are those of a sphere (haversine), in metres. All functions are O(1).
 */
import { bytesFromAscii } from "./ascii.ts";

export const LONGITUDE_MAX = 180;
export const LATITUDE_MAX = 85.05112878;
/** The finest grid. */
export const STEP_MAX = 26;

const EARTH_RADIUS = 6372797.560856;
const RADIANS_PER_DEGREE = Math.PI / 180;
const TWO_32 = 4294967296;
const TWO_64 = TWO_32 * TWO_32;
/** Columns, and rows, of the finest grid. */
const COUNT_MAX = 1 << STEP_MAX;
const TEXT_LATITUDE_MAX = 90;
const TEXT_ALPHABET = bytesFromAscii("0123456789bcdefghjkmnpqrstuvwxyz");
/** Characters of a geohash as the geo commands give it. */
export const TEXT_BYTES = 11;
const TEXT_BITS = 5;
const TWO_27 = 134217728;

export interface Place {
  readonly longitude: number;
  readonly latitude: number;
}

/** A cell of the grid of a step. */
export interface Cell {
  readonly step: number;
  readonly column: number;
  readonly row: number;
}

/** The borders of a cell, in degrees. */
export interface Borders {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** The cell in which a place lies. Requires: the place is within the limits. */
export function cellOf(place: Place, step: number, latitudeMax: number = LATITUDE_MAX): Cell {
  const count = 1 << step;
  const column = ((place.longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX)) * count;
  const row = ((place.latitude + latitudeMax) / (2 * latitudeMax)) * count;
  return { step, column: Math.trunc(column), row: Math.trunc(row) };
}

/** The cell so many columns east and rows north, around the edges of the grid. */
export function neighbourOf(cell: Cell, east: number, north: number): Cell {
  const mask = (1 << cell.step) - 1;
  return { step: cell.step, column: (cell.column + east) & mask, row: (cell.row + north) & mask };
}

export function bordersOf({ step, column, row }: Cell): Borders {
  const count = 1 << step;
  return {
    west: -LONGITUDE_MAX + (column / count) * (2 * LONGITUDE_MAX),
    south: -LATITUDE_MAX + (row / count) * (2 * LATITUDE_MAX),
    east: -LONGITUDE_MAX + (((column + 1) >>> 0) / count) * (2 * LONGITUDE_MAX),
    north: -LATITUDE_MAX + (((row + 1) >>> 0) / count) * (2 * LATITUDE_MAX),
  };
}

/** The least number in the cell, or, with `offset` 1, the least above those in it. */
export function scoreOfCell({ step, column, row }: Cell, offset: number): number {
  const high = spread(row >>> 16) + 2 * spread(column >>> 16);
  const low = spread(row & 0xffff) + 2 * spread(column & 0xffff);
  const scale = 1 << (STEP_MAX - step);
  return (high * TWO_32 + low + offset) * scale * scale;
}

/** The number of a place. */
export function scoreOfPlace(place: Place): number {
  return scoreOfCell(cellOf(place, STEP_MAX), 0);
}

/** The middle of the cell of a number; of any number, as scores need not come from places. */
export function placeOfScore(score: number): Place {
  return { longitude: longitudeOfScore(score), latitude: latitudeOfScore(score) };
}

/** As `placeOfScore`, for searches, which make no object for each member. */
export function longitudeOfScore(score: number): number {
  const high = highBits(score);
  const column = ((gather(high >>> 1) << 16) | gather(lowBits(score) >>> 1)) >>> 0;
  return middleOf(column, LONGITUDE_MAX);
}

/** As `placeOfScore`. */
export function latitudeOfScore(score: number): number {
  const high = highBits(score);
  const row = ((gather(high) << 16) | gather(lowBits(score))) >>> 0;
  return middleOf(row, LATITUDE_MAX);
}

/** The middle of a column or row of the finest grid, which reaches from -limit to limit. */
function middleOf(index: number, limit: number): number {
  const least = -limit + (index / COUNT_MAX) * (2 * limit);
  const greatest = -limit + (((index + 1) >>> 0) / COUNT_MAX) * (2 * limit);
  return clamp((least + greatest) / 2, limit);
}

/** Writes the geohash of a place: 10 characters, and a zero, since 52 bits are not 55. */
export function writeGeohash(bytes: Uint8Array, offset: number, place: Place): number {
  const bits = scoreOfCell(cellOf(place, STEP_MAX, TEXT_LATITUDE_MAX), 0);
  const high = Math.floor(bits / TWO_27);
  // Two bits are left at the end.
  const low = (bits - high * TWO_27) >>> 2;
  for (let index = 4; index >= 0; index--) {
    const shift = TEXT_BITS * (4 - index);
    bytes[offset + index] = TEXT_ALPHABET[(high >>> shift) & 31];
    bytes[offset + 5 + index] = TEXT_ALPHABET[(low >>> shift) & 31];
  }
  bytes[offset + TEXT_BYTES - 1] = TEXT_ALPHABET[0];
  return offset + TEXT_BYTES;
}

/** The distance of two places, in metres. */
export function distanceOf(a: Place, b: Place): number {
  const v = Math.sin((radians(b.longitude) - radians(a.longitude)) / 2);
  if (v === 0) return latitudeDistance(a.latitude, b.latitude);
  const aLatitude = radians(a.latitude);
  const bLatitude = radians(b.latitude);
  const u = Math.sin((bLatitude - aLatitude) / 2);
  const square = u * u + Math.cos(aLatitude) * Math.cos(bLatitude) * v * v;
  return distanceOfHaversine(square);
}

/** The distance, in metres, of places that are an angle apart; given the square of its half's sine. */
export function distanceOfHaversine(haversine: number): number {
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(haversine));
}

/** And back, roughly. Infinity for distances that no two places have. */
export function haversineOfDistance(metres: number): number {
  const half = metres / EARTH_RADIUS / 2;
  return half < Math.PI / 2 ? Math.sin(half) ** 2 : Infinity;
}

/** The distance of two places on one meridian, in metres. */
export function latitudeDistance(a: number, b: number): number {
  return EARTH_RADIUS * Math.abs(radians(b) - radians(a));
}

/** The angle, in degrees, that so many metres are on a great circle, or on one `scale` as large. */
export function degreesOf(metres: number, scale = 1): number {
  return degrees(metres / EARTH_RADIUS / scale);
}

export function radians(angle: number): number {
  return angle * RADIANS_PER_DEGREE;
}

export function degrees(angle: number): number {
  return angle / RADIANS_PER_DEGREE;
}

function clamp(value: number, limit: number): number {
  return value > limit ? limit : value < -limit ? -limit : value;
}

/** The upper 32 of a score's 64 bits. */
function highBits(score: number): number {
  if (score >= 0 && score < TWO_64) return Math.floor(score / TWO_32);
  return Number(unsignedBits(score) >> 32n);
}

/** The lower 32 of a score's 64 bits. */
function lowBits(score: number): number {
  if (score >= 0 && score < TWO_64) return Math.floor(score - Math.floor(score / TWO_32) * TWO_32);
  return Number(unsignedBits(score) & 0xffffffffn);
}

/** A double as C on x86 makes an unsigned 64-bit integer of it. */
function unsignedBits(score: number): bigint {
  if (score >= TWO_64) return 0n;
  if (score < -(2 ** 63)) return 2n ** 63n;
  return BigInt.asUintN(64, BigInt(Math.trunc(score)));
}

/** The 16 low bits, with a zero above each. */
function spread(value: number): number {
  let bits = value;
  bits = (bits | (bits << 8)) & 0x00ff00ff;
  bits = (bits | (bits << 4)) & 0x0f0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return (bits | (bits << 1)) & 0x55555555;
}

/** Every other bit of 32, from the lowest on: 16 bits. */
function gather(value: number): number {
  let bits = value & 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}
