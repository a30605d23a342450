import { withoutHoles } from "./distance.js";

/**
 * The camera from which an object's silhouette agrees best with a drawn outline, as `maquette.ways.fitting` finds it.
 *
 * A pose is `[azimuth, elevation, roll, scale, right, down, nearness]` as in `maquette.ways.silhouette`.
 * @typedef {number[]} Pose
 */

const SEARCH = 48; // pixels a side in which cameras are compared
const FEW = 2000; // points that the search looks at
const STEPS = [12, 5, 2].map((degrees) => (degrees * Math.PI) / 180);
const [ROLL, LOW, HIGH] = [15, -25, 75].map((degrees) => (degrees * Math.PI) / 180);
const PERSPECTIVES = [0.1, 0.6];
const [AZIMUTH, ELEVATION, ROLLED, SCALE, RIGHT, DOWN, NEARNESS] = [0, 1, 2, 3, 4, 5, 6];

/** The picture's right and down, and forward, as nine numbers. @param {Pose} pose */
export function axesOf([azimuth, elevation, roll]) {
  const [sa, ca, se, ce] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation)];
  const [sr, cr] = [Math.sin(roll), Math.cos(roll)];
  const [level, below] = [[-ca, -sa, 0], [-se * sa, se * ca, -ce]];
  return [...level.map((value, k) => cr * value - sr * below[k]), ...level.map((value, k) => sr * value + cr * below[k]),
    sa * ce, -ca * ce, -se];
}

/** The centres of the filled voxels that have an empty neighbour, three numbers each. */
export function surfaceVoxels(occupancy, resolution, threshold) {
  const found = [];
  const [plane, last] = [resolution * resolution, resolution - 1];
  const empty = (at) => occupancy[at] < threshold;
  for (let x = 0, at = 0; x < resolution; x++) {
    for (let y = 0; y < resolution; y++) {
      for (let z = 0; z < resolution; z++, at++) {
        if (empty(at)) continue;
        if (x && y && z && x < last && y < last && z < last && !empty(at - plane) && !empty(at + plane)
          && !empty(at - resolution) && !empty(at + resolution) && !empty(at - 1) && !empty(at + 1)) continue;
        found.push((x + 0.5) / resolution - 0.5, (y + 0.5) / resolution - 0.5, (z + 0.5) / resolution - 0.5);
      }
    }
  }
  return Float32Array.from(found);
}

/** The centres of larger cells that hold points, few enough, and the side of these. */
function thinned(points, voxel) {
  let [kept, side] = [points, voxel];
  while (kept.length > 3 * FEW) {
    side *= 2;
    const cells = new Map();
    for (let i = 0; i < kept.length; i += 3) {
      const [x, y, z] = [0, 1, 2].map((k) => Math.floor(kept[i + k] / side));
      cells.set((x * 4096 + y) * 4096 + z, [x, y, z]);
    }
    kept = Float32Array.from([...cells.values()].flat(), (value) => (value + 0.5) * side);
  }
  return { points: kept, voxel: side };
}

/** What an object covers in a picture of so many pixels a side, without its holes. */
export function silhouette(points, pose, side, voxel) {
  const double = withoutHoles(coverage(points, pose, 2 * side, voxel), 2 * side);
  const made = new Uint8Array(side * side);
  const wide = 2 * side;
  const inner = (at, row, column) => double[at] && (column === 0 || double[at - 1]) && (column === wide - 1 || double[at + 1])
    && (row === 0 || double[at - wide]) && (row === wide - 1 || double[at + wide]);
  for (let row = 0, at = 0; row < wide; row++) {
    for (let column = 0; column < wide; column++, at++) {
      if (inner(at, row, column)) made[(row >> 1) * side + (column >> 1)] += 1;
    }
  }
  return made.map((count) => (count > 1 ? 1 : 0));
}

/** The same with its holes: pixels of points, closed over the size of a voxel. */
export function coverage(points, pose, side, voxel) {
  const dots = new Uint8Array(side * side);
  const [shown, half] = [projected(points, pose), side / 2];
  for (let i = 0; i < shown.length; i += 2) {
    const [x, y] = [Math.trunc((shown[i] + 1) * half), Math.trunc((shown[i + 1] + 1) * half)];
    if (x >= 0 && y >= 0 && x < side && y < side) dots[y * side + x] = 1;
  }
  const reach = Math.ceil((Math.exp(pose[SCALE]) * voxel * side) / 2);
  return swept(swept(dots, side, reach, 1), side, reach, 0);
}

let places = new Float32Array(0);

/** Where the picture shows points, right and down from -1 to 1; the same array with each call. */
function projected(points, pose) {
  const axes = axesOf(pose);
  const [rx, ry, rz, dx, dy, dz, fx, fy] = axes;
  const fz = axes[8];
  const scale = Math.exp(pose[SCALE]);
  const [right, down, nearness] = [pose[RIGHT], pose[DOWN], pose[NEARNESS]];
  const count = points.length / 3;
  if (places.length < 2 * count) places = new Float32Array(2 * count);
  for (let i = 0, at = 0; i < points.length; i += 3, at += 2) {
    const x = points[i];
    const y = points[i + 1];
    const z = points[i + 2];
    const factor = scale / Math.max(1 + nearness * (fx * x + fy * y + fz * z), 0.1);
    places[at] = right + factor * (rx * x + ry * y + rz * z);
    places[at + 1] = down + factor * (dx * x + dy * y + dz * z);
  }
  return places.subarray(0, 2 * count);
}

/** Calls with where the picture shows each point: right and down from -1 to 1, and depth behind the centre. */
export function eachShown(points, pose, call) {
  const [rx, ry, rz, dx, dy, dz, fx, fy, fz] = axesOf(pose);
  const [scale, right, down, nearness] = [Math.exp(pose[SCALE]), pose[RIGHT], pose[DOWN], pose[NEARNESS]];
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [points[i], points[i + 1], points[i + 2]];
    const depth = fx * x + fy * y + fz * z;
    const factor = scale / Math.max(1 + nearness * depth, 0.1);
    call(right + factor * (rx * x + ry * y + rz * z), down + factor * (dx * x + dy * y + dz * z), depth, i / 3);
  }
}

/** A region grown (`to` 1) or shrunk (0) by a square of so many pixels to each side; beyond the picture nothing counts. */
function swept(mask, side, reach, to) {
  let from = mask;
  for (let axis = 0; axis < 2; axis++) {
    const [step, next] = axis ? [side, 1] : [1, side];
    const made = new Uint8Array(mask.length).fill(1 - to);
    for (let line = 0; line < side; line++) {
      const start = line * next;
      let done = 0; // up to here the line has been written
      for (let i = 0; i < side; i++) {
        if (from[start + i * step] !== to) continue;
        const end = Math.min(i + reach, side - 1);
        for (let j = Math.max(i - reach, done); j <= end; j++) made[start + j * step] = to;
        done = end + 1;
      }
    }
    from = made;
  }
  return from;
}

function overlap(a, b) {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i] & b[i];
    either += a[i] | b[i];
  }
  return both / Math.max(either, 1);
}

/** A region in a picture of another size: a pixel is full where more than half of what it covers is. */
function resized(mask, side, to) {
  const made = new Uint8Array(to * to);
  const scale = side / to;
  for (let row = 0; row < to; row++) {
    for (let column = 0; column < to; column++) {
      let [sum, all] = [0, 0];
      for (let y = Math.floor(row * scale); y < (row + 1) * scale; y++) {
        const high = Math.min(y + 1, (row + 1) * scale) - Math.max(y, row * scale);
        for (let x = Math.floor(column * scale); x < (column + 1) * scale; x++) {
          const part = high * (Math.min(x + 1, (column + 1) * scale) - Math.max(x, column * scale));
          sum += part * mask[y * side + x];
          all += part;
        }
      }
      made[row * to + column] = sum > 0.5 * all ? 1 : 0;
    }
  }
  return made;
}

function boxIn(mask, side) {
  const box = [side, side, 0, 0];
  mask.forEach((full, i) => {
    if (!full) return;
    const [row, column] = [Math.floor(i / side), i % side];
    box[0] = Math.min(box[0], column);
    box[1] = Math.min(box[1], row);
    box[2] = Math.max(box[2], column + 1);
    box[3] = Math.max(box[3], row + 1);
  });
  return box[2] ? box.map((value) => (2 * value) / side - 1) : null;
}

/** The pose with another scale and centre, so that the points' picture fills a box as well as it can. */
function framed(points, pose, box) {
  const shown = projected(points, Object.assign([...pose], { [SCALE]: 0, [RIGHT]: 0, [DOWN]: 0 }));
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < shown.length; i += 2) {
    const x = shown[i];
    const y = shown[i + 1];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  const [low, high] = [[left, top], [right, bottom]];
  const wanted = [box[2] - box[0], box[3] - box[1]];
  const area = (high[0] - low[0]) * (high[1] - low[1]);
  const scale = Math.max(Math.sqrt((wanted[0] * wanted[1]) / Math.max(area, 1e-6)), 1e-3);
  const place = (k) => (box[k] + box[k + 2]) / 2 - ((low[k] + high[k]) / 2) * scale;
  return Object.assign([...pose], { [SCALE]: Math.log(scale), [RIGHT]: place(0), [DOWN]: place(1) });
}

function changes(pose, step) {
  const found = [];
  for (const sign of [-1, 1]) {
    const moved = (k, by) => Object.assign([...pose], { [k]: pose[k] + sign * by });
    found.push(moved(AZIMUTH, step));
    const [higher, turned, nearer] = [moved(ELEVATION, step), moved(ROLLED, step / 3), moved(NEARNESS, step / 2)];
    if (higher[ELEVATION] >= LOW && higher[ELEVATION] <= HIGH) found.push(higher);
    if (Math.abs(turned[ROLLED]) <= ROLL) found.push(turned);
    if (nearer[NEARNESS] >= PERSPECTIVES[0] && nearer[NEARNESS] <= PERSPECTIVES[1]) found.push(nearer);
  }
  return found;
}

/**
 * Searches for the camera, by steps that grow smaller.
 * @param {Float32Array} all the centres of the voxels at the object's surface
 * @param {number} size of a voxel
 * @param {Uint8Array} mask the drawn outline
 * @param {number} side of its square
 * @param {Pose[]} starts the first is what the model read
 * @returns {{pose: Pose, overlap: number}}
 */
export function fitCamera(all, size, mask, side, starts) {
  const small = resized(mask, side, SEARCH);
  const box = boxIn(small, SEARCH);
  if (!box || !all.length) return { pose: starts[0], overlap: 0 };
  let { points, voxel } = thinned(all, size);
  const score = (pose) => overlap(silhouette(points, pose, SEARCH, voxel), small);
  const placed = (pose) => {
    const there = framed(points, pose, box);
    return [score(there), there];
  };
  const tried = starts.map(placed).sort((a, b) => b[0] - a[0]).slice(0, 2);
  let best = [score(starts[0]), starts[0]];
  for (let found of tried) {
    for (const step of STEPS) {
      for (let moved = true; moved;) {
        moved = false;
        for (const change of changes(found[1], step)) {
          const now = placed(change);
          if (now[0] > found[0] + 1e-4) [found, moved] = [now, true];
        }
      }
    }
    if (found[0] > best[0]) best = found;
  }
  [points, voxel] = [all, size];
  best = [score(best[1]), best[1]];
  for (const step of [0.04, 0.015]) {
    for (const k of [SCALE, RIGHT, DOWN, SCALE, RIGHT, DOWN]) {
      for (const sign of [-1, 1]) {
        const change = Object.assign([...best[1]], { [k]: best[1][k] + sign * step });
        const now = score(change);
        if (now > best[0]) best = [now, change];
      }
    }
  }
  return { pose: best[1], overlap: best[0] };
}

/** The pose itself, and the same seen from other sides. @param {Pose} pose */
export const turnedStarts = (pose, count = 4) => Array.from({ length: count }, (_, k) => (
  Object.assign([...pose], { [AZIMUTH]: pose[AZIMUTH] + (2 * Math.PI * k) / count })));
