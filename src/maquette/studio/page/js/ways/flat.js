import { field } from "../mesher/field.js";
import { boundingBox, closed, fieldSurface, Plain, withPlate } from "../mesher/surface.js";
import { withoutStairs } from "../mesher/stairs.js";
import { area, boxOf, distanceTo, signedDistance } from "./distance.js";

/**
 * Objects of a flat drawing, standing as it was drawn from the front: its right is -x, the front is +y, up is z.
 *
 * Each way is a field whose surface is taken by marching cubes, so that all are closed by construction.
 */

const LONGEST = 80; // voxels of the longer side of the drawing
const THICK = 0.2; // of an extruded drawing, over its longer side
const GROOVE = 0.02; // depth of the lines inside an outline, over the longer side
const THIN = 1.3; // voxels from the middle of a loose line to its edge, at least
const EDGE = 4; // empty voxels around

/**
 * @param {"extrude" | "inflate" | "revolve"} way
 * @param {{mask: Uint8Array, lines: Uint8Array, loose: Uint8Array}} outline
 * @param {number} side of the outline's square
 * @param {number} plate thickness of a base plate, as a share of the longest side
 * @returns {import("../mesher/solid.js").Mesh} in voxels
 */
export function flat(way, { mask, lines, loose }, side, plate = 0) {
  if (!area(mask)) throw new Plain("empty");
  const box = boxOf(mask, side);
  const scale = Math.max(box[2] - box[0], box[3] - box[1]) / LONGEST; // pixels of a voxel
  const fromLoose = distanceTo(loose, side);
  const round = softened(signedDistance(mask, side).map((away, i) => Math.min(away, fromLoose[i] - THIN * scale)), side);
  const frame = { box, scale, side, away: (x, y) => sampled(round, side, x, y) / scale };
  const made = { extrude, inflate, revolve }[way](frame, mask, lines);
  if (!boundingBox(made.data, made.size, 0.501)) throw new Plain("thin");
  const { vertices, faces } = fieldSurface(plate ? withPlate(made, plate) : made);
  const smooth = way === "inflate" ? withoutStairs(vertices, faces, 12, 0.6) : vertices;
  return closed({ vertices: smooth, faces });
}

/** A field of distances in voxels, below 0 inside, as values with the surface at 0.5. */
function fieldOf(size, distance) {
  const made = field(size);
  for (let x = 0, at = 0; x < size[0]; x++) {
    for (let y = 0; y < size[1]; y++) {
      for (let z = 0; z < size[2]; z++, at++) made.data[at] = Math.min(Math.max(0.5 - distance(x, y, z) / 3, 0), 1);
    }
  }
  return made;
}

/** The size of the field, and the places of its columns and rows in the picture. */
function layout({ box, scale }, depth) {
  const [wide, high] = [(box[2] - box[0]) / scale, (box[3] - box[1]) / scale];
  const size = [Math.ceil(wide) + 2 * EDGE, Math.ceil(depth) + 2 * EDGE, Math.ceil(high) + 2 * EDGE];
  return {
    size,
    column: (x) => box[2] - (x - EDGE + 0.5) * scale - 0.5,
    row: (z) => box[3] - (z - EDGE + 0.5) * scale - 0.5,
    deep: (y) => y - (size[1] - 1) / 2,
  };
}

function extrude(frame, mask, lines) {
  const { size, column, row, deep } = layout(frame, THICK * LONGEST);
  const half = (THICK * LONGEST) / 2;
  const grooves = groovesOf(frame, mask, lines);
  const [away, cut] = [plane(size, column, row, frame.away), plane(size, column, row, grooves)];
  return fieldOf(size, (x, y, z) => {
    const at = x * size[2] + z;
    return Math.max(away[at], Math.abs(deep(y)) - half + (deep(y) > 0 ? cut[at] : 0));
  });
}

function inflate(frame, mask, lines) {
  const sized = layout(frame, 2);
  const away = plane(sized.size, sized.column, sized.row, frame.away);
  const height = poisson(away, sized.size[0], sized.size[2]);
  const most = Math.sqrt(height.reduce((a, b) => Math.max(a, b), 0));
  const { size, column, row, deep } = layout(frame, 2 * most + 2);
  const cut = plane(size, column, row, groovesOf(frame, mask, lines));
  return fieldOf(size, (x, y, z) => {
    const at = x * size[2] + z;
    const thick = Math.sqrt(height[at]);
    if (away[at] > 0 || thick === 0) return Math.hypot(Math.max(away[at], 0.02), Math.max(Math.abs(deep(y)) - 0.5, 0));
    const reach = Math.abs(deep(y)) + (deep(y) > 0 ? Math.min(cut[at], 0.4 * thick) : 0);
    return Math.max((reach * reach - thick * thick) / Math.max(2 * thick, reach + thick), away[at]);
  });
}

/** Where -laplace(u) = 1 with u = 0 at the edge, twice u: the square of a strip's round height. */
function poisson(away, wide, high) {
  const u = new Float32Array(away.length);
  for (let pass = 0; pass < 260; pass++) {
    for (let parity = 0; parity < 2; parity++) {
      for (let x = 1; x < wide - 1; x++) {
        for (let z = 1 + ((x + parity) & 1); z < high - 1; z += 2) {
          const at = x * high + z;
          if (away[at] >= 0) continue;
          const next = (u[at - 1] + u[at + 1] + u[at - high] + u[at + high] + 1) / 4;
          u[at] += 1.9 * (next - u[at]);
        }
      }
    }
  }
  return u.map((value, at) => (away[at] < 0 ? Math.max(2 * value, 0.8) : 0));
}

function revolve(frame) {
  const { box, scale } = frame;
  const middle = (box[0] + box[2] - 1) / 2;
  const { size, row, deep } = layout(frame, (box[2] - box[0]) / scale);
  const reach = Math.ceil(size[0] * 0.75) * 2;
  const profile = new Float32Array((reach + 1) * size[2]); // at half voxels from the axis
  for (let r = 0; r <= reach; r++) {
    for (let z = 0; z < size[2]; z++) {
      const [right, left] = [frame.away(middle + (r / 2) * scale, row(z)), frame.away(middle - (r / 2) * scale, row(z))];
      profile[r * size[2] + z] = (right + left) / 2;
    }
  }
  return fieldOf(size, (x, y, z) => {
    const r = Math.min(2 * Math.hypot(x - (size[0] - 1) / 2, deep(y)), reach - 1);
    const low = Math.floor(r);
    const [a, b] = [profile[low * size[2] + z], profile[(low + 1) * size[2] + z]];
    return a + (b - a) * (r - low);
  });
}

/** Values of a function of the picture's places at the columns and rows of a field. */
function plane(size, column, row, value) {
  const made = new Float32Array(size[0] * size[2]);
  for (let x = 0; x < size[0]; x++) for (let z = 0; z < size[2]; z++) made[x * size[2] + z] = value(column(x), row(z));
  return made;
}

/** The depth of the grooves along lines that run inside the outline, in voxels. */
function groovesOf({ side, scale }, mask, lines) {
  const inside = distanceTo(mask.map((full) => 1 - full), side);
  const inner = lines.map((full, i) => (full && inside[i] > 3.5 * scale ? 1 : 0));
  const soft = softened(Float32Array.from(inner), side);
  return (x, y) => GROOVE * LONGEST * Math.min(1, 1.4 * sampled(soft, side, x, y));
}

/** A picture blurred by about a pixel. */
function softened(values, side) {
  let from = values;
  for (let pass = 0; pass < 2; pass++) {
    for (const step of [1, side]) {
      const to = new Float32Array(from.length);
      for (let i = 0; i < from.length; i++) {
        const place = step === 1 ? i % side : Math.floor(i / side);
        const [before, after] = [place ? from[i - step] : from[i], place < side - 1 ? from[i + step] : from[i]];
        to[i] = (before + 2 * from[i] + after) / 4;
      }
      from = to;
    }
  }
  return from;
}

/** The value at a place between pixels; beyond the picture that of its border. */
function sampled(values, side, x, y) {
  const [cx, cy] = [Math.min(Math.max(x, 0), side - 1.001), Math.min(Math.max(y, 0), side - 1.001)];
  const [i, j] = [Math.floor(cx), Math.floor(cy)];
  const [u, v] = [cx - i, cy - j];
  const at = j * side + i;
  const beyond = Math.hypot(x - cx, y - cy);
  return (values[at] * (1 - u) + values[at + 1] * u) * (1 - v) + (values[at + side] * (1 - u) + values[at + side + 1] * u) * v + beyond;
}
