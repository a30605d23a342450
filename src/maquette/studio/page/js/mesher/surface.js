import { isosurface } from "./cubes.js";
import { field, smoothed } from "./field.js";
import { isClosed } from "./solid.js";
import { withoutStairs } from "./stairs.js";

const SMOOTH = 0.6;
const DOUBLED_TO = 48; // the most voxels a side of a grid whose resolution is doubled
const PAD = 3;

/** Told to the user by its key in the words. */
export class Plain extends Error {}

/**
 * The smooth closed surface of an occupancy grid, as `maquette.geometry.mesh.surface` makes it.
 * @param {Float32Array} grid occupancy in [0, 1], x the slowest and z the fastest
 * @param {number} resolution voxels a side
 * @param {object} options
 * @param {number} options.threshold the occupancy at the surface
 * @param {number} [options.smooth] in voxels
 * @param {number} [options.plate] thickness of a base plate, as a share of the object's longest side
 * @returns {import("./solid.js").Mesh} in the frame of the cube [-0.5, 0.5]
 */
export function surface(grid, resolution, { threshold, smooth = SMOOTH, plate = 0 }) {
  const box = boundingBox(grid, [resolution, resolution, resolution], threshold);
  if (!box) throw new Plain("empty");
  const low = box.low.map((value) => Math.max(value - 2, 0));
  const high = box.high.map((value) => Math.min(value + 2, resolution));
  const padded = field(high.map((value, k) => value - low[k] + 2 * PAD));
  const [, sy, sz] = padded.size;
  for (let x = low[0]; x < high[0]; x++) {
    for (let y = low[1]; y < high[1]; y++) {
      for (let z = low[2]; z < high[2]; z++) {
        const at = ((x - low[0] + PAD) * sy + y - low[1] + PAD) * sz + z - low[2] + PAD;
        padded.data[at] = levelled(grid[(x * resolution + y) * resolution + z], threshold);
      }
    }
  }
  const fineness = resolution <= DOUBLED_TO ? 2 : 1;
  const fine = smoothed(padded, smooth, fineness);
  if (fine.data.every((value) => value <= 0.5)) throw new Plain("thin");
  const made = fieldSurface(plate ? withPlate(fine, plate) : fine);
  const vertices = made.vertices.map((value, i) => ((value + 0.5) / fineness - PAD + low[i % 3]) / resolution - 0.5);
  const passes = fineness === 2 ? Math.round(17 * smooth) : 0;
  return closed({ vertices: withoutStairs(vertices, made.faces, passes, 0.35 / resolution), faces: made.faces });
}

/** The mesh itself, which must be closed. */
export function closed(mesh) {
  if (!isClosed(mesh)) throw new Plain("open");
  return mesh;
}

/** The surface of a field at 0.5, its border taken as empty, in voxels from the first one's centre. */
export function fieldSurface(source) {
  const [sx, sy, sz] = source.size;
  const data = source.data;
  for (let i = 0; i < data.length; i++) if (Math.abs(data[i] - 0.5) < 1e-3) data[i] = 0.501;
  for (let x = 0; x < sx; x++) {
    for (let y = 0; y < sy; y++) {
      for (let z = 0; z < sz; z++) {
        if (x === 0 || y === 0 || z === 0 || x === sx - 1 || y === sy - 1 || z === sz - 1) data[(x * sy + y) * sz + z] = 0;
      }
    }
  }
  return isosurface(source);
}

/** 0, the threshold and 1 become 0, 0.5 and 1. */
function levelled(value, threshold) {
  return value < threshold ? (0.5 * value) / threshold : 0.5 + (0.5 * (value - threshold)) / (1 - threshold);
}

/** The box of the values at or above a level, [low, high) on each axis; null where there are none. */
export function boundingBox(data, [sx, sy, sz], level) {
  const low = [sx, sy, sz];
  const high = [0, 0, 0];
  for (let x = 0, at = 0; x < sx; x++) {
    for (let y = 0; y < sy; y++) {
      for (let z = 0; z < sz; z++, at++) {
        if (data[at] < level) continue;
        for (const [k, value] of [x, y, z].entries()) {
          low[k] = Math.min(low[k], value);
          high[k] = Math.max(high[k], value + 1);
        }
      }
    }
  }
  return high[0] ? { low, high } : null;
}

/**
 * A field with a round-cornered plate below the object, which it stands in a little.
 * @param {import("./field.js").Field} source with its surface at 0.5
 * @param {number} share thickness over the object's longest side
 * @returns {import("./field.js").Field} larger on all sides but above, so that its places move together
 */
export function withPlate(source, share) {
  const box = boundingBox(source.data, source.size, 0.5);
  const longest = Math.max(...box.high.map((value, k) => value - box.low[k]));
  const thick = Math.max(share * longest, 1.2);
  const margin = 0.06 * longest;
  const half = [0, 1].map((k) => (box.high[k] - box.low[k]) / 2 + margin);
  const middle = [0, 1].map((k) => (box.high[k] + box.low[k] - 1) / 2);
  const round = Math.min(half[0], half[1], 0.12 * longest);
  const grow = Math.ceil(Math.max(margin, thick)) + 3;
  const made = field([source.size[0] + 2 * grow, source.size[1] + 2 * grow, source.size[2] + grow]);
  const top = box.low[2] + 0.6; // in the object by about half a voxel
  const [sx, sy, sz] = made.size;
  for (let i = 0, at = 0; i < sx; i++) {
    for (let j = 0; j < sy; j++) {
      const [x, y] = [i - grow, j - grow];
      const [dx, dy] = [Math.abs(x - middle[0]) - half[0] + round, Math.abs(y - middle[1]) - half[1] + round];
      const beyond = Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - round;
      for (let k = 0; k < sz; k++, at++) {
        const z = k - grow;
        const outside = Math.max(beyond, z - top, top - thick - z);
        const plate = Math.min(Math.max(0.5 - outside / 2, 0), 1);
        const inside = x >= 0 && y >= 0 && z >= 0 && x < source.size[0] && y < source.size[1] && z < source.size[2];
        made.data[at] = Math.max(plate, inside ? source.data[(x * source.size[1] + y) * source.size[2] + z] : 0);
      }
    }
  }
  return made;
}

