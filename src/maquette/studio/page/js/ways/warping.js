import { axesOf } from "./camera.js";
import { pieces, signedDistance } from "./distance.js";

/** An object bent in the picture's plane so that its silhouette is the drawn outline, as `maquette.ways.warping` does it. */

const SIDE = 64; // cells a side in which the shift is known
const SMOOTH = [6, 3, 1.5]; // standard deviations, in cells, of how smooth the shift is: first, later, and in the end
const STEPS = 6; // at each
const FAR = 8; // cells beyond which a distance to an outline is not told apart
const REACH = 0.07; // share of the picture's side up to which the object is bent
const STEADY = 1e-3;
const FAINT = 1e-3; // occupancy up to which a voxel is empty

/** A region and the distance of each pixel from its edge, below 0 inside. @typedef {{full: Uint8Array, away: Float32Array}} Region */

/**
 * @param {Float32Array} occupancy
 * @param {number} resolution
 * @param {Region} seen the object's silhouette
 * @param {Region} mask the drawn outline
 * @param {number} side of their square
 * @param {import("./camera.js").Pose} pose of the picture
 * @param {Float32Array} shown where it shows the voxels' centres: right, down and depth
 * @returns {Float32Array}
 */
export function warp(occupancy, resolution, seen, mask, side, pose, shown) {
  const shift = shiftBetween(near(seen, mask, side), near(mask, seen, side), side);
  const [rx, ry, rz, dx, dy, dz] = axesOf(pose);
  const scale = Math.exp(pose[3]);
  const most = Math.max(...shift.map((part) => part.reduce((far, value) => Math.max(far, Math.abs(value)), 0)));
  const box = boxAround(occupancy, resolution, (2 * most * resolution) / scale + 1);
  const made = new Float32Array(occupancy.length);
  for (let x = box[0]; x < box[3]; x++) {
    for (let y = box[1]; y < box[4]; y++) {
      for (let z = box[2]; z < box[5]; z++) {
        const at = (x * resolution + y) * resolution + z;
        const unit = scale / Math.max(1 + pose[6] * shown[3 * at + 2], 0.1) / resolution;
        const [column, row] = [((shown[3 * at] + 1) * SIDE) / 2 - 0.5, ((shown[3 * at + 1] + 1) * SIDE) / 2 - 0.5];
        const right = between(shift[0], column, row) / unit;
        const down = between(shift[1], column, row) / unit;
        made[at] = within(occupancy, resolution, x + rx * right + dx * down, y + ry * right + dy * down, z + rz * right + dz * down);
      }
    }
  }
  return made;
}

/** The box of what is not empty, so much wider on all sides: three firsts, and three places beyond the last. */
function boxAround(occupancy, side, wider) {
  const box = [side, side, side, 0, 0, 0];
  for (let x = 0, at = 0; x < side; x++) {
    for (let y = 0; y < side; y++) {
      for (let z = 0; z < side; z++, at++) {
        if (occupancy[at] <= FAINT) continue;
        if (x < box[0]) box[0] = x;
        if (y < box[1]) box[1] = y;
        if (z < box[2]) box[2] = z;
        if (x >= box[3]) box[3] = x + 1;
        if (y >= box[4]) box[4] = y + 1;
        if (z >= box[5]) box[5] = z + 1;
      }
    }
  }
  return box.map((value, k) => (k < 3 ? Math.max(value - Math.ceil(wider), 0) : Math.min(value + Math.ceil(wider), side)));
}

/** A region without its parts that reach farther than `REACH` from another. */
function near(region, other, side) {
  const beyond = region.full.map((one, i) => (one && !other.full[i] ? 1 : 0));
  if (!beyond.some((one, i) => one && other.away[i] + 0.5 > REACH * side)) return region;
  const { labels, count } = pieces(beyond, side, true);
  const far = new Uint8Array(count + 1);
  labels.forEach((label, i) => { if (label && other.away[i] + 0.5 > REACH * side) far[label] = 1; });
  const full = region.full.map((one, i) => (one && !far[labels[i]] ? 1 : 0));
  return { full, away: signedDistance(full, side) };
}

/** For each cell how far to the right and down the place of the moving region lies that belongs there (demons). */
function shiftBetween(moving, fixed, side) {
  const [from, to] = [moving, fixed].map(({ away }) => levels(away, side));
  let shift = [0, 1].map(() => new Float32Array(SIDE * SIDE));
  const moved = new Float32Array(SIDE * SIDE);
  for (const smooth of SMOOTH) {
    const kernel = bell(smooth);
    for (let step = 0; step < STEPS; step++) {
      for (let i = 0; i < moved.length; i++) moved[i] = between(from, (i % SIDE) + shift[0][i], Math.floor(i / SIDE) + shift[1][i]);
      const slopes = slopesOf(moved);
      for (let i = 0; i < moved.length; i++) {
        const wrong = to[i] - moved[i];
        const steep = slopes[0][i] ** 2 + slopes[1][i] ** 2 + wrong ** 2 / 16 + STEADY;
        for (const k of [0, 1]) shift[k][i] += (wrong * slopes[k][i]) / steep;
      }
      shift = shift.map((part) => blurred(part, kernel));
    }
  }
  return shift.map((part) => part.map((value) => (2 * value) / SIDE));
}

/** The signed distance in cells, above 0 inside, up to `FAR`. */
function levels(away, side) {
  const times = side / SIDE;
  const made = new Float32Array(SIDE * SIDE);
  away.forEach((value, i) => { made[Math.floor(Math.floor(i / side) / times) * SIDE + Math.floor((i % side) / times)] -= value; });
  return made.map((sum) => Math.min(Math.max(sum / times ** 3, -FAR), FAR));
}

/** The slopes to the right and down (Sobel). */
function slopesOf(values) {
  const made = [0, 1].map(() => new Float32Array(values.length));
  for (let row = 0, i = 0; row < SIDE; row++) {
    const [up, under] = [mirrored(row - 1) * SIDE, mirrored(row + 1) * SIDE];
    for (let column = 0; column < SIDE; column++, i++) {
      const [left, right] = [mirrored(column - 1), mirrored(column + 1)];
      const [a, b, c] = [values[up + left], values[up + column], values[up + right]];
      const [d, f] = [values[row * SIDE + left], values[row * SIDE + right]];
      const [g, h, k] = [values[under + left], values[under + column], values[under + right]];
      made[0][i] = (c + 2 * f + k - a - 2 * d - g) / 8;
      made[1][i] = (g + 2 * h + k - a - 2 * b - c) / 8;
    }
  }
  return made;
}

/** A place beyond the border as the one that mirrors it there. */
function mirrored(at) {
  if (at < 0) return -at;
  return at >= SIDE ? 2 * SIDE - 2 - at : at;
}

/** A Gaussian's weights on one side of its middle, the middle first; in all they make 1. */
function bell(deviation) {
  const reach = Math.round(deviation * 4);
  const weights = Array.from({ length: reach + 1 }, (_, i) => Math.exp(-(i ** 2) / (2 * deviation ** 2)));
  const sum = weights.reduce((total, weight, i) => total + (i ? 2 : 1) * weight, 0);
  return weights.map((weight) => weight / sum);
}

function blurred(values, weights) {
  const reach = weights.length - 1;
  const line = new Float32Array(SIDE + 2 * reach); // with what mirrors it beyond the border
  let from = values;
  for (const [step, next] of [[1, SIDE], [SIDE, 1]]) {
    const made = new Float32Array(values.length);
    for (let start = 0; start < SIDE * next; start += next) {
      for (let i = -reach; i < SIDE + reach; i++) line[i + reach] = from[start + mirrored(i) * step];
      for (let i = 0; i < SIDE; i++) {
        let sum = weights[0] * line[i + reach];
        for (let k = 1; k <= reach; k++) sum += weights[k] * (line[i + reach - k] + line[i + reach + k]);
        made[start + i * step] = sum;
      }
    }
    from = made;
  }
  return from;
}

/** A value between the cells; beyond them that of the border. */
function between(values, column, row) {
  const [x, y] = [Math.min(Math.max(column, 0), SIDE - 1), Math.min(Math.max(row, 0), SIDE - 1)];
  const [i, j] = [Math.min(Math.floor(x), SIDE - 2), Math.min(Math.floor(y), SIDE - 2)];
  const [u, v, k] = [x - i, y - j, j * SIDE + i];
  return (values[k] * (1 - u) + values[k + 1] * u) * (1 - v) + (values[k + SIDE] * (1 - u) + values[k + SIDE + 1] * u) * v;
}

/** A value between the voxels; 0 beyond them. */
function within(values, side, x, y, z) {
  const half = (side - 1) / 2;
  if (Math.abs(x - half) > side / 2 || Math.abs(y - half) > side / 2 || Math.abs(z - half) > side / 2) return 0;
  const place = (at) => Math.min(Math.max(at, 0), side - 1);
  const low = (at) => Math.min(Math.floor(at), side - 2);
  const [a, b, c] = [place(x), place(y), place(z)];
  const [i, j, k] = [low(a), low(b), low(c)];
  const [u, v, w] = [a - i, b - j, c - k];
  const at = (i * side + j) * side + k;
  const plane = side * side;
  const line = (from) => values[from] * (1 - w) + values[from + 1] * w;
  return (line(at) * (1 - v) + line(at + side) * v) * (1 - u) + (line(at + plane) * (1 - v) + line(at + plane + side) * v) * u;
}
