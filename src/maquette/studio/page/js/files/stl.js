/** A binary STL file of a mesh. @param {import("../mesher/solid.js").Mesh} mesh @returns {Uint8Array} */
export function stl({ vertices, faces }) {
  const count = faces.length / 3;
  const bytes = new Uint8Array(84 + 50 * count);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("Maquette, millimetres").subarray(0, 80));
  view.setUint32(80, count, true);
  for (let face = 0; face < count; face++) {
    const at = 84 + 50 * face;
    const [a, b, c] = [0, 1, 2].map((k) => 3 * faces[3 * face + k]);
    const [u, v] = [b, c].map((end) => [0, 1, 2].map((k) => vertices[end + k] - vertices[a + k]));
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...normal) || 1;
    normal.forEach((value, k) => view.setFloat32(at + 4 * k, value / length, true));
    [a, b, c].forEach((corner, n) => {
      for (let k = 0; k < 3; k++) view.setFloat32(at + 12 + 12 * n + 4 * k, vertices[corner + k], true);
    });
  }
  return bytes;
}
