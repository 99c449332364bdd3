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
  distanceOfHaversine,
  haversineOfDistance,
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

/** Relative slack of a comparison, far more than rounding takes. */
const SLACK = 1e-9;
/** The same in metres, and for haversines of less than a millimetre. */
const SLACK_METRES = 1;
const SLACK_HAVERSINE = 1e-20;

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

/**
 * Measures how far places are from the centre of a shape. Most places that a search looks at are
 * outside, and most of them by so much that rounding does not matter: those are told by comparisons
 * that need little of the trigonometry. The others are measured exactly as `distanceOf` does, since
 * Redis decides by that.
 */
export class Measure {
  private readonly shape: Shape;
  private readonly centre: Place;
  private readonly centreLongitude: number;
  private readonly centreLatitude: number;
  private readonly centreCosine: number;
  /** Metres beyond which a place that much north or south is surely outside. */
  private readonly northMax: number;
  /** Half of a box's width, or the radius of a circle. */
  private readonly reach: number;
  /** Haversines above which a distance is surely larger than the reach, and below which smaller. */
  private readonly haversineMax: number;
  private readonly haversineMin: number;

  constructor(shape: Shape, centre: Place) {
    this.shape = shape;
    this.centre = centre;
    this.centreLongitude = radians(centre.longitude);
    this.centreLatitude = radians(centre.latitude);
    this.centreCosine = Math.cos(this.centreLatitude);
    this.northMax = Infinity;
    this.reach = Infinity;
    if (shape.kind === "circle") {
      this.reach = shape.radius;
      this.northMax = shape.radius * (1 + SLACK) + SLACK_METRES;
    } else if (shape.kind === "box") {
      this.reach = shape.width / 2;
      this.northMax = shape.height / 2;
    }
    const haversine = haversineOfDistance(this.reach);
    this.haversineMax = haversine * (1 + SLACK) + SLACK_HAVERSINE;
    this.haversineMin = Math.min(haversine, 1) * (1 - SLACK) - SLACK_HAVERSINE;
  }

  /** The distance of a place from the centre, or -1 if it is outside the shape. */
  distanceTo(longitude: number, latitude: number): number {
    const { centre, shape } = this;
    if (shape.kind === "polygon") {
      const place = { longitude, latitude };
      return isInPolygon(shape.vertices, place) ? distanceOf(centre, place) : -1;
    }
    const north = latitudeDistance(centre.latitude, latitude);
    if (north > this.northMax) return -1;
    const v = Math.sin((radians(longitude) - this.centreLongitude) / 2);
    const angle = radians(latitude);
    const cosine = Math.cos(angle);
    if (shape.kind === "box" && this.isBeside(cosine * cosine * v * v)) return -1;
    let distance = north;
    if (v !== 0) {
      const u = Math.sin((angle - this.centreLatitude) / 2);
      const haversine = u * u + this.centreCosine * cosine * v * v;
      if (shape.kind === "circle" && haversine > this.haversineMax) return -1;
      distance = distanceOfHaversine(haversine);
    }
    return shape.kind === "circle" && distance > this.reach ? -1 : distance;
  }

  /** Whether a place is outside a box, given the haversine of its distance along its parallel. */
  private isBeside(haversine: number): boolean {
    if (haversine <= this.haversineMin) return false;
    return haversine > this.haversineMax || distanceOfHaversine(haversine) > this.reach;
  }
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
