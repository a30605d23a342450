/** @typedef {{vertices: Float32Array, faces: Uint32Array}} Mesh */

/** Whether each edge of a mesh joins two faces that run along it both ways. @param {Mesh} mesh */
export function isClosed({ vertices, faces }) {
  if (!faces.length) return false;
  const count = vertices.length / 3;
  const forth = new Float64Array(faces.length);
  const back = new Float64Array(faces.length);
  for (let i = 0; i < faces.length; i++) {
    const end = faces[i % 3 === 2 ? i - 2 : i + 1];
    if (faces[i] === end) return false;
    forth[i] = faces[i] * count + end;
    back[i] = end * count + faces[i];
  }
  forth.sort();
  back.sort();
  return forth.every((edge, i) => edge === back[i] && edge !== forth[i + 1]);
}

/** The volume of a closed mesh, or of the faces that `chosen` takes. @param {Mesh} mesh */
export function volume({ vertices: v, faces }, chosen = () => true) {
  let total = 0;
  for (let i = 0; i < faces.length; i += 3) if (chosen(i / 3)) total += wedge(v, 3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]);
  return total;
}

/** Signed volume of the tetrahedron between the origin and a triangle. */
function wedge(v, a, b, c) {
  return (v[a] * (v[b + 1] * v[c + 2] - v[b + 2] * v[c + 1])
    + v[a + 1] * (v[b + 2] * v[c] - v[b] * v[c + 2])
    + v[a + 2] * (v[b] * v[c + 1] - v[b + 1] * v[c])) / 6;
}

/** The lowest and the highest coordinates. @returns {{low: number[], high: number[]}} */
export function bounds(vertices) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < vertices.length; i++) {
    low[i % 3] = Math.min(low[i % 3], vertices[i]);
    high[i % 3] = Math.max(high[i % 3], vertices[i]);
  }
  return { low, high };
}

/**
 * The part with the largest volume, with the cavities inside it.
 * @param {Mesh} mesh closed
 * @returns {{mesh: Mesh, dropped: number}} and how many parts were left out
 */
export function keepLargest(mesh) {
  const { faces } = mesh;
  const parent = Uint32Array.from({ length: mesh.vertices.length / 3 }, (_, i) => i);
  const root = (vertex) => {
    let at = vertex;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]];
    return at;
  };
  for (let i = 0; i < faces.length; i += 3) {
    parent[root(faces[i])] = root(faces[i + 1]);
    parent[root(faces[i + 1])] = root(faces[i + 2]);
  }
  const volumes = new Map();
  for (let i = 0; i < faces.length; i += 3) {
    const part = root(faces[i]);
    const more = wedge(mesh.vertices, 3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]);
    volumes.set(part, (volumes.get(part) ?? 0) + more);
  }
  if (volumes.size < 2) return { mesh, dropped: 0 };
  const parts = [...volumes].sort((a, b) => b[1] - a[1]);
  const main = parts[0][0];
  const body = only(mesh, (face) => root(faces[3 * face]) === main);
  const kept = new Set([main]);
  for (const [part, size] of parts) if (size < 0 && holds(body, mesh.vertices.subarray(3 * part, 3 * part + 3))) kept.add(part);
  const dropped = parts.filter(([part, size]) => size > 0 && part !== main).length;
  return { mesh: only(mesh, (face) => kept.has(root(faces[3 * face]))), dropped };
}

/** The mesh of some faces, with the vertices that they use. */
function only({ vertices, faces }, chosen) {
  const numbers = new Int32Array(vertices.length / 3).fill(-1);
  const points = [];
  const corners = [];
  for (let i = 0; i < faces.length; i++) {
    if (!chosen(Math.floor(i / 3))) continue;
    const vertex = faces[i];
    if (numbers[vertex] < 0) {
      numbers[vertex] = points.length / 3;
      points.push(vertices[3 * vertex], vertices[3 * vertex + 1], vertices[3 * vertex + 2]);
    }
    corners.push(numbers[vertex]);
  }
  return { vertices: Float32Array.from(points), faces: Uint32Array.from(corners) };
}

/** Whether a point lies inside a closed mesh: its faces fill a solid angle of 4 pi there (van Oosterom 1983). */
function holds({ vertices, faces }, point) {
  let angle = 0;
  for (let i = 0; i < faces.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => [0, 1, 2].map((axis) => vertices[3 * faces[i + k] + axis] - point[axis]));
    const [la, lb, lc] = [a, b, c].map((one) => Math.hypot(...one));
    const dot = (p, q) => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
    const above = a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
    angle += 2 * Math.atan2(above, la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb);
  }
  return Math.abs(angle) > 2 * Math.PI;
}

/**
 * A mesh in millimetres: its longest side as asked for, centred on x and y, resting on z = 0.
 * @param {Mesh} mesh
 * @param {number} sizeMm
 * @returns {Mesh & {sides: number[]}} and its sides in millimetres
 */
export function toPrint({ vertices, faces }, sizeMm) {
  const { low, high } = bounds(vertices);
  const scale = sizeMm / Math.max(...high.map((value, k) => value - low[k]));
  const from = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]];
  return {
    vertices: vertices.map((value, i) => (value - from[i % 3]) * scale),
    faces,
    sides: high.map((value, k) => (value - low[k]) * scale),
  };
}
