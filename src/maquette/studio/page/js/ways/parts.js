import { which } from "./distance.js";

/** Loose parts joined where the occupancy between them is a little too low, as `maquette.ways.joining` does it. */

const REACH = 3; // voxels from both parts within which a bridge may lie
const SHARES = [0.85, 0.7, 0.55, 0.4]; // of the threshold, down to which a bridge is looked for
const LEAST = 0.002; // share of the volume from which a part is worth a bridge

/** The connected parts of a grid, corners included. @returns {{labels: Int32Array, sizes: number[]}} from 1 */
function parts3(filled, side) {
  const labels = new Int32Array(filled.length);
  const stack = new Int32Array(filled.length);
  const sizes = [0];
  for (let start = 0; start < filled.length; start++) {
    if (!filled[start] || labels[start]) continue;
    const label = sizes.length;
    let [top, size] = [0, 0];
    labels[start] = label;
    stack[top++] = start;
    while (top) {
      const at = stack[--top];
      size += 1;
      eachNeighbour(at, side, (other) => {
        if (!filled[other] || labels[other]) return;
        labels[other] = label;
        stack[top++] = other;
      });
    }
    sizes.push(size);
  }
  return { labels, sizes };
}

function eachNeighbour(at, side, call) {
  const [x, y, z] = [Math.floor(at / side ** 2), Math.floor(at / side) % side, at % side];
  for (let i = Math.max(x - 1, 0); i <= Math.min(x + 1, side - 1); i++) {
    for (let j = Math.max(y - 1, 0); j <= Math.min(y + 1, side - 1); j++) {
      for (let k = Math.max(z - 1, 0); k <= Math.min(z + 1, side - 1); k++) {
        const other = (i * side + j) * side + k;
        if (other !== at) call(other);
      }
    }
  }
}

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
