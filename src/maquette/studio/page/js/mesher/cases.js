/**
 * The 256 cases of marching cubes, made and not typed in.
 *
 * On each face of a cell the surface's lines go around the solid corners one by one, so that two cells always agree
 * about the face between them. The lines of the six faces close to loops; each loop is cut into triangles none of
 * whose inner edges lies in a face of the cell, so that no edge is ever shared by more than two triangles.
 *
 * Corner k of a cell lies at (k >> 2, (k >> 1) & 1, k & 1); `EDGES` are its twelve edges as pairs of corners.
 */

/** @type {number[][]} pairs of corners, the nearer first; edge 4 * axis + ... runs along an axis */
export const EDGES = [];
for (const step of [4, 2, 1]) {
  for (let corner = 0; corner < 8; corner++) if (!(corner & step)) EDGES.push([corner, corner | step]);
}

const edgeBetween = (a, b) => EDGES.findIndex(([p, q]) => (p === a && q === b) || (p === b && q === a));

/** The corners of the six faces, clockwise as seen from outside. */
const FACES = [];
for (const [axis, u, v] of [[4, 2, 1], [2, 1, 4], [1, 4, 2]]) {
  FACES.push([0, u, u | v, v], [axis, axis | v, axis | u | v, axis | u]);
}
const facesOf = EDGES.map(([a, b]) => FACES.map((face) => face.includes(a) && face.includes(b)));
const shareFace = (e, f) => facesOf[e].some((on, k) => on && facesOf[f][k]);

/** The loops of one case: lists of edges, each loop with the solid inside. */
function loopsOf(solid) {
  const next = new Map();
  for (const face of FACES) {
    const full = face.map((corner) => (solid >> corner) & 1);
    for (let k = 0; k < 4; k++) {
      if (!full[k] || full[(k + 1) % 4]) continue; // here the way around the face leaves the solid
      let back = k;
      while (full[(back + 3) % 4]) back = (back + 3) % 4;
      next.set(edgeBetween(face[k], face[(k + 1) % 4]), edgeBetween(face[(back + 3) % 4], face[back]));
    }
  }
  const loops = [];
  while (next.size) {
    const loop = [];
    let at = next.keys().next().value;
    while (next.has(at)) {
      loop.push(at);
      const following = next.get(at);
      next.delete(at);
      at = following;
    }
    loops.push(loop);
  }
  return loops;
}

/** Triangles of a loop without an inner edge that lies in a face of the cell; null where there are none. */
function cut(loop) {
  if (loop.length === 3) return [loop];
  for (let k = 0; k < loop.length; k++) {
    const [a, b, c] = [0, 1, 2].map((step) => loop[(k + step) % loop.length]);
    if (shareFace(a, c)) continue;
    const rest = cut(loop.filter((edge) => edge !== b));
    if (rest) return [[a, b, c], ...rest];
  }
  return null;
}

/** @type {Uint8Array[]} for each case its triangles, three edges each, counter-clockwise from outside */
export const CASES = Array.from({ length: 256 }, (_, solid) => {
  const triangles = loopsOf(solid).flatMap((loop) => {
    const pieces = cut(loop);
    if (!pieces) throw new Error(`no triangles for case ${solid}`);
    return pieces;
  });
  return Uint8Array.from(triangles.flat());
});
