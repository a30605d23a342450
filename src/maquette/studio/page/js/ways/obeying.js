import { coverage, eachShown, silhouette, surfaceVoxels } from "./camera.js";
import { boxOf, distanceTo, pieces, signedDistance, which, withoutHoles } from "./distance.js";
import { tieParts, wholeness } from "./parts.js";
import { warp } from "./warping.js";

/**
 * An object mended by the drawn outline, as `maquette.ways.obeying` does it: bent to it, carved where it still goes
 * beyond, grown where a part is missing.
 */
const SOFT = 1.0; // voxels over which occupancy falls at the outline
const [STICK, LEAST_STICK] = [0.012, 0.006]; // how far beside a single line the object may go, and what grows there goes
const UPRIGHT = 2; // how many times as high as wide a missing line is that stands upright
const LEAST = 0.0015; // share of the square below which a missing piece is left
const WHOLE = 0.99; // share of the largest part from which an object is in one piece
const FAINT = 1e-3; // occupancy up to which a voxel is left as it is

/**
 * @param {Float32Array} occupancy
 * @param {number} resolution
 * @param {number} threshold
 * @param {Uint8Array} mask the drawn outline
 * @param {number} side of its square
 * @param {import("./camera.js").Pose} pose of the picture
 * @param {Uint8Array} [single] the single lines of the drawing: along them the object keeps up to `STICK` to either side
 * @returns {Float32Array} the occupancy, mended; only bent, or as it was, where it would be torn
 */
export function obey(occupancy, resolution, threshold, mask, side, pose, single = null) {
  const voxel = 1 / resolution;
  const points = centres(resolution);
  const shown = new Float32Array(points.length);
  eachShown(points, pose, (right, down, depth, i) => {
    shown[3 * i] = right;
    shown[3 * i + 1] = down;
    shown[3 * i + 2] = depth;
  });
  const beside = single?.some(Boolean) ? distanceTo(single, side) : null;
  const wider = (by) => (beside ? mask.map((one, i) => (one || beside[i] <= by * side ? 1 : 0)) : mask);
  const [seen, kept] = [silhouette(surfaceVoxels(occupancy, resolution, threshold), pose, side, voxel), wider(STICK)].map(
    (full) => ({ full, away: signedDistance(full, side) }));
  const bent = warp(occupancy, resolution, seen, kept, side, pose, shown);
  const made = carved(bent, threshold, kept.away, side, shown, SOFT * voxel * Math.exp(pose[3]));
  const left = full(made, points, threshold);
  if (left.length) {
    const covered = withoutHoles(coverage(left, pose, side, voxel), side);
    const missing = withoutSlivers(wider(LEAST_STICK).map((one, i) => (one && !covered[i] ? 1 : 0)), side,
      0.5 * Math.exp(pose[3]) * voxel * side);
    const lines = beside?.map((away) => (away <= LEAST_STICK * side ? 1 : 0));
    if (missing.some(Boolean)) grow(made, missing, lines, shown, side, pose, voxel, threshold);
  }
  const least = Math.min(wholeness(occupancy, resolution, threshold), WHOLE);
  for (const one of [made, bent]) {
    const tied = tieParts(one, resolution, threshold);
    if (wholeness(tied, resolution, threshold) >= least) return tied;
  }
  return occupancy;
}

/** The occupancy, which falls where the picture shows what is beyond the outline. */
function carved(occupancy, threshold, distances, side, shown, soft) {
  const inside = distances.map((away) => (-2 * away) / side);
  return occupancy.map((value, i) => {
    if (value <= FAINT) return value;
    const level = Math.min(Math.max(at(inside, side, shown[3 * i], shown[3 * i + 1]) / (2 * soft) + 0.5, 0), 1);
    return Math.min(value, level < 0.5 ? 2 * level * threshold : threshold + (2 * level - 1) * (1 - threshold));
  });
}

const grids = new Map();

/** The centres of all voxels. */
function centres(resolution) {
  if (!grids.has(resolution)) {
    const points = new Float32Array(3 * resolution ** 3);
    for (let i = 0; i < resolution ** 3; i++) {
      points[3 * i] = (Math.floor(i / resolution ** 2) + 0.5) / resolution - 0.5;
      points[3 * i + 1] = ((Math.floor(i / resolution) % resolution) + 0.5) / resolution - 0.5;
      points[3 * i + 2] = ((i % resolution) + 0.5) / resolution - 0.5;
    }
    grids.set(resolution, points);
  }
  return grids.get(resolution);
}

/** The centres of the filled voxels. */
function full(occupancy, points, threshold) {
  const found = [];
  occupancy.forEach((value, i) => {
    if (value >= threshold) found.push(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
  });
  return Float32Array.from(found);
}

/** A value of a picture, between its pixels; beyond them that of its border. */
function at(values, side, right, down) {
  const place = (value) => Math.min(Math.max((value + 1) * (side / 2) - 0.5, 0), side - 1);
  return linear(values, side, place(right), place(down));
}

function withoutSlivers(missing, side, width) {
  const { labels, count } = pieces(missing, side, true);
  const [areas, deepest] = [new Uint32Array(count + 1), new Float32Array(count + 1)];
  const away = distanceTo(missing.map((one) => 1 - one), side);
  labels.forEach((label, i) => {
    areas[label] += 1;
    deepest[label] = Math.max(deepest[label], away[i]);
  });
  return missing.map((one, i) => (one && areas[labels[i]] > LEAST * missing.length && deepest[labels[i]] > width ? 1 : 0));
}

/** Fills what is missing: each part as thick as it is wide, at the surface nearest to it in the picture. */
function grow(made, missing, lines, shown, side, pose, voxel, threshold) {
  const scale = Math.exp(pose[3]);
  const front = new Float32Array(side * side).fill(Infinity);
  for (let i = 0; i < made.length; i++) {
    if (made[i] < threshold) continue;
    const [x, y] = [Math.trunc((shown[3 * i] + 1) * (side / 2)), Math.trunc((shown[3 * i + 1] + 1) * (side / 2))];
    if (x < 0 || y < 0 || x >= side || y >= side) continue;
    front[y * side + x] = Math.min(front[y * side + x], shown[3 * i + 2]);
  }
  const half = distanceTo(missing.map((one) => 1 - one), side);
  const ridge = highest(half, side, 4);
  const width = ridge.map((value, i) => Math.max(value, half[i]) / (side / 2) / scale);
  const middle = spread(front, front.map((depth) => (depth === Infinity ? 0 : 1)), side).map((value, i) => value + width[i]);
  if (lines) hang(middle, missing, lines, front, width, side, pose);
  const thick = width.map((value) => Math.max(value, voxel));
  const within = half.map((value, i) => (missing[i] ? value : -1));
  for (let i = 0; i < made.length; i++) {
    const [right, down] = [shown[3 * i], shown[3 * i + 1]];
    if (at(within, side, right, down) <= -0.25) continue;
    const level = at(thick, side, right, down) - Math.abs(shown[3 * i + 2] - at(middle, side, right, down));
    made[i] = Math.max(made[i], Math.min(Math.max(threshold + ((1 - threshold) * level) / (2 * SOFT * voxel), 0), 1));
  }
}

/** Puts single lines that hang down from the object upright, in place, as legs are: depth grows on the way down. */
function hang(middle, missing, lines, front, width, side, pose) {
  const fall = Math.tan(pose[1]) / Math.exp(pose[3]);
  const { labels, count } = pieces(missing, side, true);
  for (let number = 1; number <= count; number++) {
    const part = which(labels, (label) => label === number);
    const [left, top, right, bottom] = boxOf(part, side);
    let [all, along, row] = [0, 0, 0];
    part.forEach((one, i) => {
      if (!one) return;
      all += 1;
      along += lines[i];
      row += Math.floor(i / side);
    });
    if (bottom - top < UPRIGHT * (right - left) || along < 0.5 * all) continue;
    const away = distanceTo(part, side);
    const [depths, widths] = [[], []];
    let rows = 0;
    part.forEach((one, i) => {
      if (one) widths.push(width[i]);
      if (away[i] > 3 || front[i] === Infinity) return;
      depths.push(front[i]);
      rows += Math.floor(i / side);
    });
    const touched = rows / depths.length;
    if (!depths.length || touched > row / all) continue;
    const depth = median(depths) + median(widths);
    away.forEach((value, i) => {
      if (value <= 3) middle[i] = depth + fall * (Math.floor(i / side) - touched) * (2 / side);
    });
  }
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The greatest value within so many pixels to each side. */
function highest(values, side, reach) {
  let from = values;
  for (const [step, next] of [[1, side], [side, 1]]) {
    const made = new Float32Array(values.length);
    for (let line = 0; line < side; line++) {
      for (let i = 0; i < side; i++) {
        let most = 0;
        for (let j = Math.max(i - reach, 0); j <= Math.min(i + reach, side - 1); j++) most = Math.max(most, from[line * next + j * step]);
        made[line * next + i * step] = most;
      }
    }
    from = made;
  }
  return from;
}

/** Known values kept, and those between them as smooth as a pyramid of ever smaller pictures makes them. */
function spread(values, weights, side) {
  const made = Float32Array.from(values, (value, i) => (weights[i] ? value : 0));
  if (side < 2) return made;
  const half = Math.floor(side / 2);
  const [sums, many] = [new Float32Array(half * half), new Float32Array(half * half)];
  for (let row = 0; row < 2 * half; row++) {
    for (let column = 0; column < 2 * half; column++) {
      const [from, to] = [row * side + column, (row >> 1) * half + (column >> 1)];
      sums[to] += (weights[from] * made[from]) / 4;
      many[to] += weights[from] / 4;
    }
  }
  const smaller = spread(sums.map((sum, i) => sum / Math.max(many[i], 1e-6)), many.map((sum) => (sum > 0 ? 1 : 0)), half);
  const place = (at) => Math.min(Math.max((at + 0.5) / 2 - 0.5, 0), half - 1);
  for (let row = 0, i = 0; row < side; row++) {
    for (let column = 0; column < side; column++, i++) if (!weights[i]) made[i] = linear(smaller, half, place(column), place(row));
  }
  return made;
}

/** A value between pixels that lies in the picture. */
function linear(values, side, x, y) {
  if (side === 1) return values[0];
  const [i, j] = [Math.min(Math.floor(x), side - 2), Math.min(Math.floor(y), side - 2)];
  const [u, v, k] = [x - i, y - j, j * side + i];
  return (values[k] * (1 - u) + values[k + 1] * u) * (1 - v) + (values[k + side] * (1 - u) + values[k + side + 1] * u) * v;
}
