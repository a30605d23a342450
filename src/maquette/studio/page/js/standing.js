const NEAR = 0.02; // of the height, what is pressed flat or filled below by the first layers

/**
 * Whether a mesh stands on z = 0, and to which side it would fall.
 * @param {import("./mesher/solid.js").Mesh} mesh in millimetres
 * @returns {{stands: boolean, hull: number[][], centre: number[], towards: number[] | null}} what it stands on, its
 *   centre of mass, and the direction in which it falls
 */
export function standing({ vertices: v, faces }) {
  const centre = centreOfMass(v, faces);
  let highest = 0;
  for (let i = 2; i < v.length; i += 3) highest = Math.max(highest, v[i]);
  const near = Math.max(0.4, NEAR * highest);
  const feet = [];
  for (let i = 0; i < v.length; i += 3) if (v[i + 2] < near) feet.push([v[i], v[i + 1]]);
  const hull = convex(feet);
  let [inside, nearest, towards] = [hull.length > 2, Infinity, null];
  hull.forEach(([ax, ay], k) => {
    const [bx, by] = hull[(k + 1) % hull.length];
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const away = ((by - ay) * (centre[0] - ax) - (bx - ax) * (centre[1] - ay)) / length; // above 0 outside
    if (away > 0) inside = false;
    if (-away < nearest) [nearest, towards] = [-away, [(by - ay) / length, -(bx - ax) / length]];
  });
  return { stands: inside && nearest > 0.01 * highest, hull, centre, towards: inside && nearest > 0.01 * highest ? null : towards };
}

function centreOfMass(v, faces) {
  const sum = [0, 0, 0];
  let volume = 0;
  for (let i = 0; i < faces.length; i += 3) {
    const [a, b, c] = [3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]];
    const wedge = v[a] * (v[b + 1] * v[c + 2] - v[b + 2] * v[c + 1]) + v[a + 1] * (v[b + 2] * v[c] - v[b] * v[c + 2])
      + v[a + 2] * (v[b] * v[c + 1] - v[b + 1] * v[c]);
    volume += wedge;
    for (let k = 0; k < 3; k++) sum[k] += (wedge * (v[a + k] + v[b + k] + v[c + k])) / 4;
  }
  return sum.map((value) => value / volume);
}

/** The convex hull of points, counter-clockwise (Andrew's chain). */
function convex(points) {
  const sorted = points.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const half = (list) => {
    const chain = [];
    for (const [x, y] of list) {
      while (chain.length > 1) {
        const [[ax, ay], [bx, by]] = chain.slice(-2);
        if ((bx - ax) * (y - ay) - (by - ay) * (x - ax) > 1e-9) break;
        chain.pop();
      }
      chain.push([x, y]);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}
