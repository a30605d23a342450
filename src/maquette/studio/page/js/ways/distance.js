/** Regions of a square picture: `mask` is a Uint8Array of side x side zeros and ones. */

const FAR = 1e9;

/** Squared distances along one line (Felzenszwalb and Huttenlocher 2012). */
function lineDistances(values, count, places, starts, out) {
  let last = 0;
  places[0] = 0;
  starts[0] = -FAR;
  starts[1] = FAR;
  for (let q = 1; q < count; q++) {
    let s;
    do {
      const p = places[last];
      s = (values[q] + q * q - values[p] - p * p) / (2 * (q - p));
    } while (s <= starts[last] && --last >= 0);
    places[++last] = q;
    starts[last] = s;
    starts[last + 1] = FAR;
  }
  for (let q = 0, k = 0; q < count; q++) {
    while (starts[k + 1] < q) k++;
    out[q] = (q - places[k]) ** 2 + values[places[k]];
  }
}

/** The distance of each pixel from the nearest pixel of the region, in pixels; 0 in it. */
export function distanceTo(mask, side) {
  const result = new Float32Array(mask.length);
  for (let i = 0; i < mask.length; i++) result[i] = mask[i] ? 0 : FAR;
  const [values, out] = [new Float64Array(side), new Float64Array(side)];
  const [places, starts] = [new Int32Array(side + 1), new Float64Array(side + 2)];
  for (const [step, next] of [[1, side], [side, 1]]) {
    for (let line = 0; line < side; line++) {
      for (let i = 0; i < side; i++) values[i] = result[line * next + i * step];
      lineDistances(values, side, places, starts, out);
      for (let i = 0; i < side; i++) result[line * next + i * step] = Math.min(out[i], FAR);
    }
  }
  for (let i = 0; i < result.length; i++) result[i] = Math.sqrt(result[i]);
  return result;
}

/** The distance from the region's edge, below 0 inside. */
export function signedDistance(mask, side) {
  const outside = distanceTo(mask, side);
  const inside = distanceTo(mask.map((full) => 1 - full), side);
  return outside.map((away, i) => (mask[i] ? 0.5 - inside[i] : away - 0.5));
}

/**
 * The connected pieces of a region.
 * @returns {{labels: Int32Array, count: number}} from 1; 0 is outside of the region
 */
export function pieces(mask, side, corners = false) {
  const labels = new Int32Array(mask.length);
  const stack = new Int32Array(mask.length);
  let count = 0;
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || labels[start]) continue;
    labels[start] = ++count;
    let top = 0;
    stack[top++] = start;
    while (top) {
      const at = stack[--top];
      const column = at % side;
      const [left, right] = [column > 0 ? -1 : 0, column < side - 1 ? 1 : 0];
      for (let row = at - side; row <= at + side; row += side) {
        if (row < 0 || row >= mask.length) continue;
        const sideways = corners || row === at;
        for (let other = row + (sideways ? left : 0); other <= row + (sideways ? right : 0); other++) {
          if (mask[other] && !labels[other]) {
            labels[other] = count;
            stack[top++] = other;
          }
        }
      }
    }
  }
  return { labels, count };
}

/** The region of the values that pass a test. @param {ArrayLike<number>} values @param {(value: number) => boolean} test */
export function which(values, test) {
  const made = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) made[i] = test(values[i]) ? 1 : 0;
  return made;
}

/** The region with all that it goes around. */
export function withoutHoles(mask, side) {
  const wide = side + 2;
  const outside = new Uint8Array(wide * wide).fill(1);
  for (let i = 0; i < mask.length; i++) if (mask[i]) outside[(Math.floor(i / side) + 1) * wide + (i % side) + 1] = 0;
  const { labels } = pieces(outside, wide);
  return mask.map((_, i) => (labels[(Math.floor(i / side) + 1) * wide + (i % side) + 1] === 1 ? 0 : 1));
}

/** Left, top, right and bottom of a region, the last two beyond it; null for an empty one. */
export function boxOf(mask, side) {
  const box = [side, side, 0, 0];
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const [row, column] = [Math.floor(i / side), i % side];
    box[0] = Math.min(box[0], column);
    box[1] = Math.min(box[1], row);
    box[2] = Math.max(box[2], column + 1);
    box[3] = Math.max(box[3], row + 1);
  }
  return box[2] ? box : null;
}

/** How many pixels of a region. */
export const area = (mask) => mask.reduce((sum, full) => sum + (full ? 1 : 0), 0);
