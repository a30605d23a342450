/**
 * The vertices of a closed surface after smoothing (Taubin 1995) that keeps the volume of thin parts, as
 * `maquette.geometry.mesh` has it: each moves by `furthest` at most, and where a whole neighbourhood moved inwards,
 * that motion is undone.
 * @param {Float32Array} vertices
 * @param {Uint32Array} faces
 * @param {number} passes
 * @param {number} furthest
 * @returns {Float32Array}
 */
export function withoutStairs(vertices, faces, passes, furthest) {
  if (!passes) return vertices;
  const count = vertices.length / 3;
  const { begin, neighbours } = neighboursOf(count, faces);
  let after = vertices;
  for (let pass = 0; pass < passes; pass++) {
    for (const step of [0.5, -0.505]) after = moved(after, begin, neighbours, step);
  }
  const shift = after.map((value, i) => value - vertices[i]);
  const normals = vertexNormals(vertices, faces);
  let outwards = new Float32Array(count);
  for (let v = 0; v < count; v++) outwards[v] = dot(shift, normals, 3 * v);
  for (let pass = 0; pass < 12; pass++) {
    const mean = new Float32Array(count);
    for (let v = 0; v < count; v++) {
      let total = 0;
      for (let k = begin[v]; k < begin[v + 1]; k++) total += outwards[neighbours[k]];
      mean[v] = total / Math.max(begin[v + 1] - begin[v], 1);
    }
    outwards = mean;
  }
  const result = new Float32Array(vertices.length);
  for (let v = 0; v < count; v++) {
    const at = 3 * v;
    const step = [0, 1, 2].map((k) => shift[at + k] - outwards[v] * normals[at + k]);
    const scale = Math.min(1, furthest / Math.max(Math.hypot(...step), 1e-12));
    for (let k = 0; k < 3; k++) result[at + k] = vertices[at + k] + step[k] * scale;
  }
  return result;
}

const dot = (a, b, at) => a[at] * b[at] + a[at + 1] * b[at + 1] + a[at + 2] * b[at + 2];

/** The neighbours of each vertex of a closed surface, one after the other. */
function neighboursOf(count, faces) {
  const begin = new Uint32Array(count + 1);
  for (const vertex of faces) begin[vertex + 1]++;
  for (let v = 0; v < count; v++) begin[v + 1] += begin[v];
  const filled = begin.slice();
  const neighbours = new Uint32Array(faces.length);
  for (let i = 0; i < faces.length; i += 3) {
    for (let k = 0; k < 3; k++) neighbours[filled[faces[i + k]]++] = faces[i + ((k + 1) % 3)];
  }
  return { begin, neighbours };
}

/** Each vertex moved by a share of the way to the mean of its neighbours. */
function moved(from, begin, neighbours, step) {
  const to = new Float32Array(from.length);
  for (let v = 0; v + 1 < begin.length; v++) {
    let [x, y, z] = [0, 0, 0];
    for (let k = begin[v]; k < begin[v + 1]; k++) {
      const other = 3 * neighbours[k];
      x += from[other];
      y += from[other + 1];
      z += from[other + 2];
    }
    const many = Math.max(begin[v + 1] - begin[v], 1);
    to[3 * v] = from[3 * v] + step * (x / many - from[3 * v]);
    to[3 * v + 1] = from[3 * v + 1] + step * (y / many - from[3 * v + 1]);
    to[3 * v + 2] = from[3 * v + 2] + step * (z / many - from[3 * v + 2]);
  }
  return to;
}

/** Unit normals at the vertices, weighted by the areas of the faces. */
export function vertexNormals(vertices, faces) {
  const normals = new Float32Array(vertices.length);
  for (let i = 0; i < faces.length; i += 3) {
    const [a, b, c] = [3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]];
    const [x, y, z] = [vertices[a], vertices[a + 1], vertices[a + 2]];
    const [ux, uy, uz] = [vertices[b] - x, vertices[b + 1] - y, vertices[b + 2] - z];
    const [vx, vy, vz] = [vertices[c] - x, vertices[c + 1] - y, vertices[c + 2] - z];
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (let k = 0; k < 3; k++) {
      const at = 3 * faces[i + k];
      normals[at] += nx;
      normals[at + 1] += ny;
      normals[at + 2] += nz;
    }
  }
  for (let at = 0; at < normals.length; at += 3) {
    const length = Math.sqrt(dot(normals, normals, at)) + 1e-20;
    for (let k = 0; k < 3; k++) normals[at + k] /= length;
  }
  return normals;
}
