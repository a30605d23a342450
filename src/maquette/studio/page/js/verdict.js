import { area, pieces } from "./ways/distance.js";

/** How sure one may be of the model's answer, as `maquette.ways.verdict` judges it. */

const SURE = 0.5;
const AGAINST = -0.4;
/**
 * What each sign is compared with, its weight, and a constant; a sign that is not measured counts as typical. Two signs
 * of Python's are not measured here, how many lines are shared by drawing and object either way: the outline stands for
 * them and has the three weights together.
 */
const WEIGHTS = {
  drawing: { outline: [0.83, 5.8], agrees: [0.63, 3.1], one: [0.94, 9.2], told: [1.31, 3.1], constant: 0.32 },
  photo: { crisp: [0.54, 4.2], agrees: [0.63, 2.7], told: [1.19, 3.2], constant: 0.64 },
};
/** A bare outline is meant flat more often than it is a thing seen from a corner, as the model learned them. */
const BARE = 0.1; // of the lines inside the outline, below which it is one
const AGAINST_BARE = 1.5; // from the logarithm of the odds

/**
 * @param {import("./model.js").Answer} answer
 * @param {{lines: Uint8Array, closed: boolean, inner: number} | null} drawn a drawing's outline
 * @param {number} side of the lines' square
 * @param {number | undefined} outline IoU of the silhouette and the drawn outline
 * @returns {{sure: boolean, probability: number, reasons: string[]}} reasons as keys of the words
 */
export function judge(answer, drawn, side, outline) {
  const signs = { outline, crisp: crispness(answer.occupancy), agrees: answer.agrees };
  if (drawn) signs.one = wholeness(drawn.lines, side);
  if (answer.latent) signs.told = Math.hypot(...answer.latent) / Math.sqrt(answer.latent.length);
  const { constant, ...weights } = WEIGHTS[drawn ? "drawing" : "photo"];
  let odds = constant;
  const against = [];
  for (const [name, [typical, weight]] of Object.entries(weights)) {
    if (signs[name] === undefined) continue;
    const share = (signs[name] - typical) * weight;
    odds += share;
    if (share < AGAINST) against.push([share, name]);
  }
  if (drawn?.closed && drawn.inner < BARE) {
    odds -= AGAINST_BARE;
    against.push([-AGAINST_BARE, "bare"]);
  }
  const probability = 1 / (1 + Math.exp(-odds));
  const reasons = against.sort((a, b) => a[0] - b[0]).map(([, name]) => name);
  return { sure: probability >= SURE, probability, reasons };
}

/** How far the occupancy is from undecided, over what is or might be filled. */
function crispness(occupancy) {
  let [sum, count] = [0, 0];
  for (const value of occupancy) {
    if (value <= 0.1) continue;
    sum += Math.abs(2 * value - 1);
    count += 1;
  }
  return count ? sum / count : 0;
}

/** The share of the drawn lines in the largest piece, gaps of a few pixels counted as closed. */
function wholeness(lines, side) {
  const grown = new Uint8Array(lines.length);
  lines.forEach((full, i) => {
    if (!full) return;
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) {
        const [x, y] = [(i % side) + dx, Math.floor(i / side) + dy];
        if (x >= 0 && y >= 0 && x < side && y < side) grown[y * side + x] = 1;
      }
    }
  });
  const { labels, count } = pieces(grown, side, true);
  const sizes = new Uint32Array(count + 1);
  lines.forEach((full, i) => {
    if (full) sizes[labels[i]] += 1;
  });
  return Math.max(...sizes) / Math.max(area(lines), 1);
}

