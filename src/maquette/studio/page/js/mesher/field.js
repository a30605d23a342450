/**
 * Filters of dense fields, as `maquette.geometry.mesh` has them in Python.
 *
 * A field is `{size: [x, y, z], data: Float32Array}`, z the fastest. Outside of it there is nothing (0).
 * @typedef {{size: number[], data: Float32Array}} Field
 */

const SHARPNESS = 2; // how steeply the solid share of a fine voxel follows the field
const PASSES = 3;

/** @param {number[]} size @returns {Field} an empty field */
export function field(size) {
  return { size: [...size], data: new Float32Array(size[0] * size[1] * size[2]) };
}

/** A new field of a function of the values of up to three others at the same place. */
export function combine(f, one, two = one, three = one) {
  const made = field(one.size);
  const [a, b, c, out] = [one.data, two.data, three.data, made.data];
  for (let i = 0; i < out.length; i++) out[i] = f(a[i], b[i], c[i]);
  return made;
}

/** How far neighbours along an axis lie apart, how many there are, and how far lines' blocks lie apart. */
function along(size, axis) {
  const stride = axis === 0 ? size[1] * size[2] : axis === 1 ? size[2] : 1;
  return { stride, count: size[axis], block: stride * size[axis] };
}

/** A Gaussian of so many voxels, cut off at 2.5 deviations. */
export function blur(source, sigma) {
  if (!sigma) return source;
  const radius = Math.floor(2.5 * sigma + 0.5);
  const weights = Float64Array.from({ length: radius + 1 }, (_, k) => Math.exp(-0.5 * (k / sigma) ** 2));
  const sum = 2 * weights.reduce((a, b) => a + b, 0) - 1;
  let from = source.data;
  for (let axis = 0; axis < 3; axis++) {
    const { stride, count, block } = along(source.size, axis);
    const to = new Float32Array(from.length);
    for (let start = 0; start < from.length; start += block) {
      for (let at = start, end = start + block; at < end; at++) {
        let total = from[at];
        for (let k = 1; k <= radius && k < count; k++) {
          const [before, after] = [at - k * stride, at + k * stride];
          total += weights[k] * ((before >= start ? from[before] : 0) + (after < end ? from[after] : 0));
        }
        to[at] = total / sum;
      }
    }
    from = to;
  }
  return { size: source.size, data: from };
}

/** The largest value of each 3x3x3 neighbourhood. */
export function dilate(source) {
  let from = source.data;
  for (let axis = 0; axis < 3; axis++) {
    const { stride, block } = along(source.size, axis);
    const to = new Float32Array(from.length);
    for (let start = 0; start < from.length; start += block) {
      for (let at = start, end = start + block; at < end; at++) {
        let most = from[at];
        if (at - stride >= start && from[at - stride] > most) most = from[at - stride];
        if (at + stride < end && from[at + stride] > most) most = from[at + stride];
        to[at] = most;
      }
    }
    from = to;
  }
  return { size: source.size, data: from };
}

/** The smallest value of each 3x3x3 neighbourhood. */
export function erode(source) {
  const upside = (one) => ({ size: one.size, data: one.data.map((value) => -value) });
  return upside(dilate(upside(source)));
}

/** Twice the resolution, by quadratic B-spline subdivision (weights 3/4 and 1/4). */
export function double(source) {
  let from = source.data;
  const size = [...source.size];
  for (let axis = 0; axis < 3; axis++) {
    const { stride, block } = along(size, axis);
    const to = new Float32Array(2 * from.length);
    for (let start = 0; start < from.length; start += block) {
      for (let at = start, end = start + block; at < end; at++) {
        const step = (at - start) % stride;
        const out = 2 * start + 2 * (at - start - step) + step;
        const value = 0.75 * from[at];
        to[out] = value + (at - stride >= start ? 0.25 * from[at - stride] : 0);
        to[out + stride] = value + (at + stride < end ? 0.25 * from[at + stride] : 0);
      }
    }
    from = to;
    size[axis] *= 2;
  }
  return { size, data: from };
}

/** Half the resolution: the mean of each 2x2x2 block. */
export function halve(source) {
  const [sx, sy, sz] = source.size;
  const made = field([sx / 2, sy / 2, sz / 2]);
  let at = 0;
  for (let x = 0; x < sx; x += 2) {
    for (let y = 0; y < sy; y += 2) {
      for (let z = 0; z < sz; z += 2) {
        let total = 0;
        for (let k = 0; k < 8; k++) total += source.data[((x + (k >> 2)) * sy + y + ((k >> 1) & 1)) * sz + z + (k & 1)];
        made.data[at++] = total / 8;
      }
    }
  }
  return made;
}

const clip = (value, low, high) => (value < low ? low : value > high ? high : value);

/**
 * A smooth field, twice as fine where `fineness` is 2, whose solid part (above 0.5) has the same volume.
 * @param {Field} source with its surface at 0.5
 * @param {number} smooth deviation of the Gaussian in voxels
 * @param {1 | 2} fineness
 * @returns {Field}
 */
export function smoothed(source, smooth, fineness) {
  const finer = (one) => (fineness === 2 ? double(one) : one);
  const coarser = (one) => (fineness === 2 ? halve(one) : one);
  const filled = (one) => combine((v) => clip(SHARPNESS * (v - 0.5) + 0.5, 0, 1), one);
  const solid = combine((v, most, least) => clip((v - 0.5) / Math.max(most - least, 0.1) + 0.5, 0, 1),
    source, dilate(source), erode(source));
  let coarse = blur(source, smooth);
  const thin = smooth
    ? dilate(combine((closed, opened) => closed - opened, erode(dilate(solid)), dilate(erode(solid))))
    : combine(() => 1, solid);
  for (let pass = 0; pass < PASSES; pass++) {
    const lost = combine((s, share) => s - share, solid, coarser(filled(finer(coarse))));
    coarse = combine((c, t, l) => c + t * l, coarse, thin, blur(lost, Math.min(smooth, 0.5)));
  }
  const fine = finer(coarse);
  if (!smooth) return fine;
  const thick = finer(combine((t) => 1 - t, thin));
  const share = filled(fine);
  let edge = 0;
  let missing = 0;
  for (let i = 0; i < solid.data.length; i++) missing += (1 - thin.data[i]) * solid.data[i];
  missing *= fineness ** 3;
  for (let i = 0; i < share.data.length; i++) {
    const value = share.data[i];
    if (value > 0 && value < 1) edge += thick.data[i];
    missing -= thick.data[i] * value;
  }
  const more = clip(missing / Math.max(SHARPNESS * edge, 1), -0.1, 0.1);
  return combine((f, t) => f + more * t, fine, thick);
}
