/**
 * Shapes that GEOSEARCH looks in, and the cells of the grid that cover them.
 *
 * A shape has a centre. It is covered by the cell around the centre and those of its eight
 * neighbours that it can reach into, of the finest grid where nine cells are enough.
 */
import {
  type Cell,
  type Place,
  STEP_MAX,
  bordersOf,
  cellOf,
  degrees,
  degreesOf,
  distanceOf,
  latitudeDistance,
  neighbourOf,
  radians,
} from "../base/geohash.ts";

/** Half the equator on a Mercator map, in metres. */
const MERCATOR_MAX = 20037726.37;
/** Beyond these latitudes cells must be larger, as meridians are closer. */
const POLAR_LATITUDES = [66, 80];

/** Lengths are in metres. */
export type Shape =
  | { readonly kind: "circle"; readonly radius: number }
  | { readonly kind: "box"; readonly width: number; readonly height: number }
  | { readonly kind: "polygon"; readonly vertices: readonly Place[] };

/** North, south, east, west, then the corners: in this order results that are not sorted come. */
const NEIGHBOURS = [
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
] as const;

/** The distance of a place from the centre, or -1 if it is outside the shape. */
export function distanceWithin(shape: Shape, centre: Place, place: Place): number {
  if (shape.kind === "polygon") {
    return isInPolygon(shape.vertices, place) ? distanceOf(centre, place) : -1;
  }
  if (shape.kind === "circle") {
    const distance = distanceOf(centre, place);
    return distance > shape.radius ? -1 : distance;
  }
  if (latitudeDistance(place.latitude, centre.latitude) > shape.height / 2) return -1;
  const level = { longitude: centre.longitude, latitude: place.latitude };
  if (distanceOf(place, level) > shape.width / 2) return -1;
  return distanceOf(centre, place);
}

/** Whether a ray from the place crosses the polygon's sides an odd number of times. */
function isInPolygon(vertices: readonly Place[], { longitude, latitude }: Place): boolean {
  let isInside = false;
  let before = vertices[vertices.length - 1];
  for (const vertex of vertices) {
    if (vertex.latitude > latitude !== before.latitude > latitude) {
      const crossing =
        ((before.longitude - vertex.longitude) * (latitude - vertex.latitude)) /
          (before.latitude - vertex.latitude) +
        vertex.longitude;
      if (longitude < crossing) isInside = !isInside;
    }
    before = vertex;
  }
  return isInside;
}

/** The middle of a polygon: the mean of its vertices on the sphere. */
export function centreOf(vertices: readonly Place[]): Place {
  let x = 0;
  let y = 0;
  let z = 0;
  for (const { longitude, latitude } of vertices) {
    const parallel = Math.cos(radians(latitude));
    x += parallel * Math.cos(radians(longitude));
    y += parallel * Math.sin(radians(longitude));
    z += Math.sin(radians(latitude));
  }
  return {
    longitude: degrees(Math.atan2(y, x)),
    latitude: degrees(Math.atan2(z, Math.sqrt(x * x + y * y))),
  };
}

/** The cells that cover a shape. */
export function cellsOf(shape: Shape, centre: Place): Cell[] {
  const bounds = boundsOf(shape, centre);
  let step = stepOf(reachOf(shape, centre, bounds), centre.latitude);
  let cell = cellOf(centre, step);
  if (step > 1 && !reachesBounds(cell, bounds)) cell = cellOf(centre, --step);
  const borders = bordersOf(cell);
  const cells = [cell];
  for (const [east, north] of NEIGHBOURS) {
    if (step >= 2) {
      if (north < 0 && borders.south < bounds.south) continue;
      if (north > 0 && borders.north > bounds.north) continue;
      if (east < 0 && borders.west < bounds.west) continue;
      if (east > 0 && borders.east > bounds.east) continue;
    }
    const neighbour = neighbourOf(cell, east, north);
    // In the coarsest grid neighbours on either side are the same cell.
    const last = cells[cells.length - 1];
    const isRepeated = last.column === neighbour.column && last.row === neighbour.row;
    if (cells.length === 1 || !isRepeated) cells.push(neighbour);
  }
  return cells;
}

interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

function boundsOf(shape: Shape, { longitude, latitude }: Place): Bounds {
  if (shape.kind === "polygon") {
    const longitudes = shape.vertices.map((vertex) => vertex.longitude);
    const latitudes = shape.vertices.map((vertex) => vertex.latitude);
    return {
      west: Math.min(...longitudes),
      south: Math.min(...latitudes),
      east: Math.max(...longitudes),
      north: Math.max(...latitudes),
    };
  }
  const height = shape.kind === "circle" ? shape.radius : shape.height / 2;
  const width = shape.kind === "circle" ? shape.radius : shape.width / 2;
  const up = degreesOf(height);
  // A degree of longitude is shortest at the side that is nearer to the pole.
  const polar = latitude < 0 ? latitude - up : latitude + up;
  const aside = degreesOf(width, Math.cos(radians(polar)));
  return {
    west: longitude - aside,
    south: latitude - up,
    east: longitude + aside,
    north: latitude + up,
  };
}

/** How far the shape may reach from its centre, in metres. */
function reachOf(shape: Shape, centre: Place, bounds: Bounds): number {
  if (shape.kind === "circle") return shape.radius;
  if (shape.kind === "box") return Math.sqrt((shape.width / 2) ** 2 + (shape.height / 2) ** 2);
  const { west, south, east, north } = bounds;
  const corners = [
    { longitude: west, latitude: north },
    { longitude: east, latitude: north },
    { longitude: west, latitude: south },
    { longitude: east, latitude: south },
  ];
  return Math.max(...corners.map((corner) => distanceOf(centre, corner)));
}

/** The step of the grid whose cells are about as large as the reach, but not smaller. */
function stepOf(reach: number, latitude: number): number {
  if (reach === 0) return STEP_MAX;
  let step = 1;
  for (let range = reach; range < MERCATOR_MAX; range *= 2) step++;
  step -= 2;
  for (const limit of POLAR_LATITUDES) if (Math.abs(latitude) > limit) step--;
  return Math.min(Math.max(step, 1), STEP_MAX);
}

/** Whether the neighbours on all four sides reach to the bounds. */
function reachesBounds(cell: Cell, bounds: Bounds): boolean {
  return (
    bordersOf(neighbourOf(cell, 0, 1)).north >= bounds.north &&
    bordersOf(neighbourOf(cell, 0, -1)).south <= bounds.south &&
    bordersOf(neighbourOf(cell, 1, 0)).east >= bounds.east &&
    bordersOf(neighbourOf(cell, -1, 0)).west <= bounds.west
  );
}
