import { which } from "./distance.js";

/** Loose parts joined, as `maquette.ways.joining` does it: where the occupancy between them is a little too low, and by bars. */

const REACH = 3; // voxels from both parts within which a bridge may lie
const SHARES = [0.85, 0.7, 0.55, 0.4]; // of the threshold, down to which a bridge is looked for
const LEAST = 0.002; // share of the volume from which a part is worth a bridge
const [TIE, TIE_RADIUS] = [0.16, 0.03]; // how wide a gap is closed by a bar, and its radius, as shares of the cube's side
const RISE = 0.35; // how far a loose part is lengthened upwards to meet another
const SLOPE = 4; // voxels by which it is lengthened farther than where it is nearest

/** The connected parts of a grid, corners included. @returns {{labels: Int32Array, sizes: number[]}} from 1 */
function parts3(filled, side) {
  const wide = side + 2; // with an empty voxel all around, no place needs to be checked
  const open = new Uint8Array(wide ** 3);
  const labels = new Int32Array(filled.length);
  const steps = STEPS.map(([x, y, z]) => (x * wide + y) * wide + z);
  const stack = new Int32Array(filled.length);
  const sizes = [0];
  const outer = (at) => ((Math.floor(at / (side * side)) + 1) * wide + (Math.floor(at / side) % side) + 1) * wide + (at % side) + 1;
  const inner = (at) => ((Math.floor(at / (wide * wide)) - 1) * side + (Math.floor(at / wide) % wide) - 1) * side + (at % wide) - 1;
  for (let at = 0; at < filled.length; at++) if (filled[at]) open[outer(at)] = 1;
  for (let start = 0; start < filled.length; start++) {
    if (!filled[start] || labels[start]) continue;
    const label = sizes.length;
    let [top, size] = [0, 0];
    open[outer(start)] = 0;
    stack[top++] = outer(start);
    while (top) {
      const at = stack[--top];
      size += 1;
      labels[inner(at)] = label;
      for (const step of steps) {
        const other = at + step;
        if (!open[other]) continue;
        open[other] = 0;
        stack[top++] = other;
      }
    }
    sizes.push(size);
  }
  return { labels, sizes };
}

const STEPS = [-1, 0, 1].flatMap((x) => [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((z) => [x, y, z]))).filter((step) => step.some(Boolean));

/** A region grown by a cube of so many voxels to each side. */
function grown(region, side, reach) {
  let from = region;
  for (const step of [side * side, side, 1]) {
    const made = Uint8Array.from(from);
    for (let at = 0; at < from.length; at++) {
      if (!from[at]) continue;
      const place = Math.floor(at / step) % side;
      const [low, high] = [Math.max(place - reach, 0) - place, Math.min(place + reach, side - 1) - place];
      for (let by = low; by <= high; by++) made[at + by * step] = 1;
    }
    from = made;
  }
  return from;
}

/** The share of the largest part of what is filled. */
export function wholeness(occupancy, side, threshold) {
  const { sizes } = parts3(which(occupancy, (value) => value >= threshold), side);
  return Math.max(...sizes) / Math.max(sizes.reduce((sum, size) => sum + size, 0), 1);
}

/**
 * @param {Float32Array} occupancy
 * @param {number} side voxels a side
 * @param {number} threshold
 * @returns {Float32Array} with bridges between its parts, as far as a lower threshold connects them
 */
export function joinParts(occupancy, side, threshold) {
  const { labels, sizes } = parts3(which(occupancy, (value) => value >= threshold), side);
  const result = Float32Array.from(occupancy);
  if (sizes.length < 3) return result;
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const main = sizes.indexOf(Math.max(...sizes));
  let body = which(labels, (label) => label === main);
  let open = sizes.flatMap((size, label) => (label && label !== main && size >= LEAST * all ? [label] : []));
  for (const share of SHARES) {
    if (!open.length) break;
    const near = grown(body, side, REACH);
    const left = [];
    for (const label of open) {
      const part = which(labels, (one) => one === label);
      const close = grown(part, side, REACH);
      const joined = body.map((one, i) => (one || part[i] || (near[i] && close[i] && occupancy[i] >= share * threshold) ? 1 : 0));
      const found = parts3(joined, side).labels;
      if (found[part.indexOf(1)] === found[body.indexOf(1)]) body = joined;
      else left.push(label);
    }
    open = left;
  }
  return result.map((value, i) => (body[i] ? Math.max(value, threshold) : value));
}

/**
 * @param {Float32Array} occupancy
 * @param {number} side voxels a side
 * @param {number} threshold
 * @returns {Float32Array} with each loose part tied to another: lengthened upwards, as a leg is, or by a round bar
 */
export function tieParts(occupancy, side, threshold) {
  const { labels, sizes } = parts3(which(occupancy, (value) => value >= threshold), side);
  if (sizes.length < 3) return occupancy;
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const main = sizes.indexOf(Math.max(...sizes));
  const places = sizes.map(() => []);
  labels.forEach((label, at) => { if (label) places[label].push([Math.floor(at / side ** 2), Math.floor(at / side) % side, at % side]); });
  const result = Float32Array.from(occupancy);
  let body = places[main];
  let loose = places.filter((part, label) => label && label !== main && part.length >= LEAST * all).sort((a, b) => b.length - a.length);
  while (loose.length) {
    const gaps = loose.map((part) => ({ part, ...gap(body, part) })).sort((a, b) => a.length - b.length);
    const [{ part, length, start, end }] = gaps;
    loose = loose.filter((one) => one !== part);
    const { height, between } = rise(body, part, side);
    if (height <= Math.min(RISE * side, 2 * length)) {
      for (const [x, y, z] of between) {
        const at = (x * side + y) * side + z;
        result[at] = Math.max(result[at], (1 + threshold) / 2);
      }
      body = body.concat(part, between);
    } else if (length <= TIE * side) {
      fillBar(result, side, start, end, threshold);
      body = body.concat(part);
    }
  }
  return result;
}

/** How many voxels up from a part another begins, and the voxels between. */
function rise(body, part, side) {
  const [top, low] = [new Map(), new Map()];
  for (const [x, y, z] of part) top.set(x * side + y, Math.max(top.get(x * side + y) ?? -1, z));
  for (const [x, y, z] of body) {
    const column = x * side + y;
    if (top.has(column) && z > top.get(column)) low.set(column, Math.min(low.get(column) ?? Infinity, z));
  }
  const gaps = [...low].map(([column, z]) => [column, z - top.get(column) - 1]);
  const height = gaps.reduce((least, [, value]) => Math.min(least, value), Infinity);
  const between = [];
  for (const [column, value] of gaps) {
    if (value > height + SLOPE) continue;
    for (let z = top.get(column) + 1; z < low.get(column); z++) between.push([Math.floor(column / side), column % side, z]);
  }
  return { height, between };
}

const squared = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;

function nearest(places, to) {
  let [found, least] = [null, Infinity];
  for (const place of places) {
    const away = squared(place, to);
    if (away < least) [found, least] = [place, away];
  }
  return found;
}

/** The shortest way between two parts, nearly: from a voxel to the nearest of the other and back; from several voxels. */
function gap(body, part) {
  let best = { length: Infinity };
  for (let i = 0; i < part.length; i += Math.max(1, Math.floor(part.length / 8))) {
    let found = { length: Infinity, end: part[i] };
    for (;;) {
      const start = nearest(body, found.end);
      const end = nearest(part, start);
      const length = Math.sqrt(squared(start, end));
      if (length >= found.length) break;
      found = { length, start, end };
    }
    if (found.length < best.length) best = found;
  }
  return best;
}

/** Fills the voxels about a line. */
function fillBar(values, side, start, end, threshold) {
  const radius = TIE_RADIUS * side;
  const wide = Math.ceil(radius) + 2;
  const along = end.map((value, k) => value - start[k]);
  const whole = Math.max(squared(start, end), 1e-9);
  const [low, high] = [start.map((value, k) => Math.max(Math.min(value, end[k]) - wide, 0)),
    start.map((value, k) => Math.min(Math.max(value, end[k]) + wide, side - 1))];
  for (let x = low[0]; x <= high[0]; x++) {
    for (let y = low[1]; y <= high[1]; y++) {
      for (let z = low[2]; z <= high[2]; z++) {
        const from = [x - start[0], y - start[1], z - start[2]];
        const share = Math.min(Math.max((from[0] * along[0] + from[1] * along[1] + from[2] * along[2]) / whole, 0), 1);
        const away = Math.sqrt(squared(from, along.map((value) => share * value)));
        const level = Math.min(Math.max(threshold + ((1 - threshold) * (radius - away)) / 2, 0), 1);
        const at = (x * side + y) * side + z;
        values[at] = Math.max(values[at], level);
      }
    }
  }
}
