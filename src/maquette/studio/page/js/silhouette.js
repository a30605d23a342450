import { boxOf, distanceTo, withoutHoles } from "./ways/distance.js";

/**
 * How well the object's silhouette, seen as the model says and framed as the drawing is, covers the drawn outline.
 * @param {import("./model.js").Answer} answer
 * @param {{resolution: number, threshold: number}} config
 * @param {Uint8Array} mask the drawn outline
 * @param {number} side of its square
 * @returns {number | undefined} IoU; undefined where it cannot be told
 */
export function outlineOverlap({ occupancy, pose }, { resolution, threshold }, mask, side) {
  const box = boxOf(mask, side);
  if (!pose || !box) return undefined;
  const shown = projected(occupancy, resolution, threshold, pose);
  if (!shown.length) return undefined;
  const low = [0, 1].map((k) => shown.reduce((least, at) => Math.min(least, at[k]), Infinity));
  const high = [0, 1].map((k) => shown.reduce((most, at) => Math.max(most, at[k]), -Infinity));
  const wanted = [box[2] - box[0], box[3] - box[1]];
  const size = high.map((value, k) => value - low[k] + 0.7 / resolution);
  const scale = Math.sqrt((wanted[0] * wanted[1]) / (size[0] * size[1]));
  const dots = new Uint8Array(side * side);
  for (const at of shown) {
    const [x, y] = [0, 1].map((k) => Math.round((at[k] - (low[k] + high[k]) / 2) * scale + (box[k] + box[k + 2] - 1) / 2));
    if (x >= 0 && y >= 0 && x < side && y < side) dots[y * side + x] = 1;
  }
  const reach = (0.62 * scale) / resolution + 1;
  const grown = Uint8Array.from(distanceTo(dots, side), (away) => (away <= reach ? 1 : 0));
  const covered = withoutHoles(grown, side);
  const empty = covered.map((full) => 1 - full);
  const inner = Uint8Array.from(distanceTo(empty, side), (away) => (away > reach - 0.4 * (scale / resolution) ? 1 : 0));
  let [both, either] = [0, 0];
  for (let i = 0; i < mask.length; i++) {
    both += mask[i] & inner[i];
    either += mask[i] | inner[i];
  }
  return both / Math.max(either, 1);
}

/** Where the camera shows the filled voxels, right and down, without its scale and centre (`maquette.ways.silhouette`). */
function projected(occupancy, resolution, threshold, pose) {
  const [azimuth, elevation, roll, , , , nearness] = pose;
  const [sa, ca, se, ce] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation)];
  const [sr, cr] = [Math.sin(roll), Math.cos(roll)];
  const level = [-ca, -sa, 0];
  const below = [-se * sa, se * ca, -ce];
  const forward = [sa * ce, -ca * ce, -se];
  const right = level.map((value, k) => cr * value - sr * below[k]);
  const down = level.map((value, k) => sr * value + cr * below[k]);
  const found = [];
  const dot = (p, axis) => p[0] * axis[0] + p[1] * axis[1] + p[2] * axis[2];
  for (let i = 0; i < occupancy.length; i++) {
    if (occupancy[i] < threshold) continue;
    const at = [Math.floor(i / resolution ** 2), Math.floor(i / resolution) % resolution, i % resolution].map(
      (value) => (value + 0.5) / resolution - 0.5);
    const factor = 1 / Math.max(1 + nearness * dot(at, forward), 0.1);
    found.push([factor * dot(at, right), factor * dot(at, down)]);
  }
  return found;
}
