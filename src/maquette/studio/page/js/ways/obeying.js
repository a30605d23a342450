import { coverage, eachShown } from "./camera.js";
import { boxOf, distanceTo, pieces, signedDistance, which, withoutHoles } from "./distance.js";

/**
 * An object mended by the drawn outline, as `maquette.ways.obeying` does it: carved where it goes beyond, grown where a
 * part is missing, both softly.
 */
const SOFT = 1.0; // voxels over which occupancy falls at the outline
const [STICK, LEAST_STICK] = [0.012, 0.006]; // how far beside a single line the object may go, and what grows there goes
const UPRIGHT = 2; // how many times as high as wide a missing line is that stands upright
const LEAST = 0.0015; // share of the square below which a missing piece is left

/**
 * @param {Float32Array} occupancy
 * @param {number} resolution
 * @param {number} threshold
 * @param {Uint8Array} mask the drawn outline
 * @param {number} side of its square
 * @param {import("./camera.js").Pose} pose of the picture
 * @param {Uint8Array} [single] the single lines of the drawing: along them the object keeps up to `STICK` to either side
 * @returns {Float32Array} the occupancy, mended
 */
export function obey(occupancy, resolution, threshold, mask, side, pose, single = null) {
  const voxel = 1 / resolution;
  const scale = Math.exp(pose[3]);
  const soft = SOFT * voxel * scale;
  const points = centres(resolution);
  const shown = new Float32Array(points.length);
  eachShown(points, pose, (right, down, depth, i) => {
    shown[3 * i] = right;
    shown[3 * i + 1] = down;
    shown[3 * i + 2] = depth;
  });
  const beside = single?.some(Boolean) ? distanceTo(single, side) : null;
  const wider = (by) => (beside ? mask.map((one, i) => (one || beside[i] <= by * side ? 1 : 0)) : mask);
  const inside = signedDistance(wider(STICK), side).map((away) => (-2 * away) / side);
  const at = sampler(side);
  const made = occupancy.map((value, i) => {
    const level = Math.min(Math.max(at(inside, shown[3 * i], shown[3 * i + 1]) / (2 * soft) + 0.5, 0), 1);
    return Math.min(value, level < 0.5 ? 2 * level * threshold : threshold + (2 * level - 1) * (1 - threshold));
  });
  const left = full(made, points, threshold);
  if (!left.length) return made;
  const covered = withoutHoles(coverage(left, pose, side, voxel), side);
  const missing = withoutSlivers(wider(LEAST_STICK).map((one, i) => (one && !covered[i] ? 1 : 0)), side, 0.5 * scale * voxel * side);
  const lines = beside?.map((away) => (away <= LEAST_STICK * side ? 1 : 0));
  if (missing.some(Boolean)) grow(made, missing, lines, shown, side, pose, voxel, threshold, at);
  return made;
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

/** Reads pictures of one size between their pixels; beyond them as at their border. */
function sampler(side) {
  return (values, right, down) => {
    const x = Math.min(Math.max((right + 1) * (side / 2) - 0.5, 0), side - 1);
    const y = Math.min(Math.max((down + 1) * (side / 2) - 0.5, 0), side - 1);
    const [i, j] = [Math.min(Math.floor(x), side - 2), Math.min(Math.floor(y), side - 2)];
    const [u, v, k] = [x - i, y - j, j * side + i];
    return (values[k] * (1 - u) + values[k + 1] * u) * (1 - v) + (values[k + side] * (1 - u) + values[k + side + 1] * u) * v;
  };
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
function grow(made, missing, lines, shown, side, pose, voxel, threshold, at) {
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
  const nearest = smoothed(spread(front, side), side, 2);
  const middle = nearest.map((value, i) => value + width[i]);
  if (lines) hang(middle, missing, lines, front, width, side, pose);
  const thick = width.map((value) => Math.max(value, voxel));
  const within = half.map((value, i) => (missing[i] ? value : -1));
  for (let i = 0; i < made.length; i++) {
    const [right, down] = [shown[3 * i], shown[3 * i + 1]];
    if (at(within, right, down) <= -0.25) continue;
    const level = at(thick, right, down) - Math.abs(shown[3 * i + 2] - at(middle, right, down));
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

/** The picture with each infinite pixel as the nearest that is not, ring by ring. */
function spread(values, side) {
  const made = Float32Array.from(values);
  let ring = [];
  values.forEach((value, i) => { if (value !== Infinity) ring.push(i); });
  while (ring.length) {
    const next = [];
    for (const at of ring) {
      const column = at % side;
      for (const other of [column ? at - 1 : -1, column < side - 1 ? at + 1 : -1, at - side, at + side]) {
        if (other < 0 || other >= made.length || made[other] !== Infinity) continue;
        made[other] = made[at];
        next.push(other);
      }
    }
    ring = next;
  }
  return made;
}

/** The mean over so many pixels to each side. */
function smoothed(values, side, reach) {
  let from = values;
  for (const [step, next] of [[1, side], [side, 1]]) {
    const made = new Float32Array(values.length);
    for (let line = 0; line < side; line++) {
      for (let i = 0; i < side; i++) {
        let sum = 0;
        for (let j = i - reach; j <= i + reach; j++) sum += from[line * next + Math.min(Math.max(j, 0), side - 1) * step];
        made[line * next + i * step] = sum / (2 * reach + 1);
      }
    }
    from = made;
  }
  return from;
}
