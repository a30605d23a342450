import { dilate, erode } from "./mesher/field.js";

const UNDECIDED = 0.02; // a coarse cell whose neighbours are all below this, or all above 1 - this, is left as it is

/**
 * The occupancy of a shape that is asked about at points, as `maquette.geometry.coarse_to_fine` finds it: at half the
 * resolution first, then in full where that is not all empty or all full.
 * @param {(points: Float32Array) => Promise<Float32Array>} filled points of the frame, three numbers each
 * @param {number} side voxels a side, an even number
 */
export async function coarseToFine(filled, side) {
  const half = side / 2;
  const all = (count) => Uint32Array.from({ length: count ** 3 }, (_, i) => i);
  const coarse = { size: [half, half, half], data: await filled(centres(all(half), half)) };
  const [most, least] = [dilate(coarse).data, erode(coarse).data];
  const above = (i) => {
    const [x, y, z] = place(i, side).map((value) => value >> 1);
    return (x * half + y) * half + z;
  };
  const edge = (at) => at % half === 0 || at % half === half - 1 || Math.floor(at / half) % half === 0
    || Math.floor(at / half) % half === half - 1 || at < half * half || at >= half * half * (half - 1);
  const mixed = all(side).filter((i) => {
    const at = above(i);
    return most[at] > UNDECIDED && (least[at] < 1 - UNDECIDED || edge(at)); // beyond the cube it is empty
  });
  const fine = Float32Array.from({ length: side ** 3 }, (_, i) => coarse.data[above(i)]);
  const found = mixed.length ? await filled(centres(mixed, side)) : [];
  mixed.forEach((i, k) => { fine[i] = found[k]; });
  return fine;
}

const place = (i, side) => [Math.floor(i / (side * side)), Math.floor(i / side) % side, i % side];

function centres(cells, side) {
  const points = new Float32Array(3 * cells.length);
  cells.forEach((cell, k) => points.set(place(cell, side).map((value) => (value + 0.5) / side - 0.5), 3 * k));
  return points;
}
