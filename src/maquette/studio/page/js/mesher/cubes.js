import { CASES, EDGES } from "./cases.js";

/**
 * The surface of a field at 0.5 by marching cubes, its vertices shared, so that it is closed wherever the field's
 * border is empty.
 * @param {import("./field.js").Field} source
 * @returns {{vertices: Float32Array, faces: Uint32Array}} in voxels, from the first voxel's centre
 */
export function isosurface({ size: [sx, sy, sz], data }) {
  const step = [sy * sz, sz, 1];
  const corners = Array.from({ length: 8 }, (_, k) => (k >> 2) * step[0] + ((k >> 1) & 1) * step[1] + (k & 1));
  const axisOf = EDGES.map(([a, b]) => ({ 4: 0, 2: 1, 1: 2 })[b - a]);
  const numbers = [0, 1, 2].map(() => new Int32Array(data.length)); // of the vertex on each edge, from 1
  const points = [];
  const faces = [];
  for (let x = 0; x < sx - 1; x++) {
    for (let y = 0; y < sy - 1; y++) {
      for (let z = 0; z < sz - 1; z++) {
        const at = (x * sy + y) * sz + z;
        let solid = 0;
        for (let k = 0; k < 8; k++) if (data[at + corners[k]] > 0.5) solid |= 1 << k;
        if (solid === 0 || solid === 255) continue;
        for (const edge of CASES[solid]) {
          const corner = EDGES[edge][0];
          const axis = axisOf[edge];
          const from = at + corners[corner];
          let number = numbers[axis][from];
          if (!number) {
            const place = [x + (corner >> 2), y + ((corner >> 1) & 1), z + (corner & 1)];
            const [a, b] = [data[from], data[from + step[axis]]];
            place[axis] += (0.5 - a) / (b - a);
            points.push(place[0], place[1], place[2]);
            number = numbers[axis][from] = points.length / 3;
          }
          faces.push(number - 1);
        }
      }
    }
  }
  return { vertices: Float32Array.from(points), faces: Uint32Array.from(faces) };
}
