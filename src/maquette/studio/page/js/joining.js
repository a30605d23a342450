/** Answers to several views of one object brought to one frame and joined, as `maquette.ways.views` does it. */

const ROUNDS = [[5, 4], [3, 3], [1, 2]]; // step in degrees, and steps to either side
const CERTAIN = 0.02;

/** A grid turned about z by degrees, from x towards y; what leaves the cube is lost. */
export function turned(grid, side, degrees) {
  const made = new Float32Array(grid.length);
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const middle = (side - 1) / 2;
  for (let x = 0; x < side; x++) {
    for (let y = 0; y < side; y++) {
      const u = cos * (x - middle) + sin * (y - middle) + middle;
      const v = cos * (y - middle) - sin * (x - middle) + middle;
      const [i, j] = [Math.floor(u), Math.floor(v)];
      for (const [a, b, weight] of [[i, j, (1 - u + i) * (1 - v + j)], [i + 1, j, (u - i) * (1 - v + j)],
        [i, j + 1, (1 - u + i) * (v - j)], [i + 1, j + 1, (u - i) * (v - j)]]) {
        if (weight < 1e-6 || a < 0 || b < 0 || a >= side || b >= side) continue;
        for (let z = 0; z < side; z++) made[(x * side + y) * side + z] += weight * grid[(a * side + b) * side + z];
      }
    }
  }
  return made;
}

function agreement(a, b) {
  let [both, all] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i] * b[i];
    all += a[i] + b[i];
  }
  return both / Math.max(all - both, 1e-9);
}

/** By how many degrees the other object must be turned to agree best with the reference, near a known angle. */
export function angleBetween(reference, other, side, around) {
  let best = around;
  for (const [step, reach] of ROUNDS) {
    const middle = best;
    let most = -1;
    for (let k = -reach; k <= reach; k++) {
      const found = agreement(reference, turned(other, side, middle + k * step));
      if (found > most) [most, best] = [found, middle + k * step];
    }
  }
  return best;
}

/** Probabilities of one object from two views, by the weighted mean of their log-odds. */
export function join(first, second, weight = 0.5) {
  const logit = (value) => {
    const kept = Math.min(Math.max(value, CERTAIN), 1 - CERTAIN);
    return Math.log(kept / (1 - kept));
  };
  return first.map((value, i) => 1 / (1 + Math.exp(-(1 - weight) * logit(value) - weight * logit(second[i]))));
}
