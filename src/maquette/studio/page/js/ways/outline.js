import { area, boxOf, distanceTo, pieces, signedDistance, which, withoutHoles } from "./distance.js";

const DISCS = [0.006, 0.014, 0.027, 0.047, 0.078]; // radii of the discs that roll around a drawing, of the side
const BODY = 1.5; // how many times as wide as its gap a body is, at least
const [SPECK, LOOSE] = [0.03, 0.05];
const ENCLOSES = 0.5;
const THIN = 0.006; // how much wider than half a line a part is, of the side, up to which it is a line
const [SYMMETRIC, UNBROKEN, STRAIGHT] = [0.9, 0.95, 0.82];

/**
 * The outline of a framed drawing, also of one whose lines have gaps, as `maquette.ways.outline` finds it: discs roll
 * around the drawing from outside, and what a larger one cannot reach belongs to it where it is wider than the gap.
 * @param {Float32Array} ink 0 is paper and 1 is lead
 * @param {number} side
 * @returns {{mask: Uint8Array, lines: Uint8Array, loose: Uint8Array, closed: boolean, inner: number}} `loose` are lines
 *   that enclose nothing, as a tail, with where they begin; `single` are parts no wider than a line; `inner` is the
 *   share of the lines that run inside the outline
 */
export function outlineOf(ink, side) {
  const lines = withoutSpecks(which(ink, (value) => value > 0.5), side);
  if (!area(lines)) return { mask: lines, lines, loose: lines, single: lines, closed: false, inner: 0 };
  const region = enclosed(lines, side);
  const half = halfWidth(lines, side);
  const inner = eroded(region, side, 0.8 * half);
  const near = distanceTo(inner, side);
  const loose = pieces(lines.map((full, i) => (full && near[i] > 2 * half + 2 ? 1 : 0)), side, true);
  const long = longOnes(loose, side, LOOSE * side);
  const tails = lines.map((_, i) => (long.has(loose.labels[i]) ? 1 : 0));
  const mask = inner.map((full, i) => (full || tails[i] ? 1 : 0));
  const joined = closedGaps(mask, side, 4);
  const whole = withoutHoles(mask.map((full, i) => (full || (joined[i] && lines[i]) ? 1 : 0)), side);
  const paper = area(inner.map((full, i) => (full && !lines[i] ? 1 : 0)));
  const reached = distanceTo(tails, side);
  const thin = lines.map((full, i) => (full && reached[i] < 3 * half + 4 ? 1 : 0)); // with where they begin
  const deep = signedDistance(whole, side);
  const within = area(lines.map((full, i) => (full && deep[i] < -3 * half - 1 ? 1 : 0))) / area(lines);
  return { mask: whole, lines, loose: thin, single: singleLines(whole, side, half), closed: paper > ENCLOSES * area(lines), inner: within };
}

/** The long parts of a region that are no wider than a line, or a little more. */
function singleLines(mask, side, half) {
  const radius = half + THIN * side;
  const body = distanceTo(eroded(mask, side, radius), side);
  const thin = pieces(mask.map((full, i) => (full && body[i] > radius + 2.5 ? 1 : 0)), side, true);
  const long = longOnes(thin, side, LOOSE * side);
  return mask.map((_, i) => (long.has(thin.labels[i]) ? 1 : 0));
}

function halfWidth(lines, side) {
  const away = distanceTo(lines.map((full) => 1 - full), side);
  const inside = [...away.filter((value) => value > 0)].sort((a, b) => a - b);
  return inside[Math.floor(0.8 * inside.length)] ?? 1;
}

/** The numbers of the pieces that are longer than so many pixels. */
function longOnes({ labels, count }, side, least) {
  const boxes = Array.from({ length: count + 1 }, () => [side, side, 0, 0]);
  labels.forEach((label, i) => {
    const box = boxes[label];
    const [row, column] = [Math.floor(i / side), i % side];
    box[0] = Math.min(box[0], column);
    box[1] = Math.min(box[1], row);
    box[2] = Math.max(box[2], column);
    box[3] = Math.max(box[3], row);
  });
  const long = boxes.map((box) => Math.max(box[2] - box[0], box[3] - box[1]) + 1 > least);
  return new Set(long.flatMap((yes, label) => (yes && label ? [label] : [])));
}

function withoutSpecks(lines, side) {
  const found = pieces(lines, side, true);
  const long = longOnes(found, side, SPECK * side);
  return lines.map((_, i) => (long.has(found.labels[i]) ? 1 : 0));
}

/** The lines and all that they enclose. */
function enclosed(lines, side) {
  const edge = Math.round(DISCS.at(-1) * side) + 4;
  const wide = side + 2 * edge;
  const padded = new Uint8Array(wide * wide);
  lines.forEach((full, i) => {
    padded[(Math.floor(i / side) + edge) * wide + (i % side) + edge] = full;
  });
  const away = distanceTo(padded, wide);
  let region = null;
  for (const share of DISCS) {
    const radius = share * side;
    const { labels } = pieces(which(away, (value) => value > radius), wide);
    const reached = distanceTo(which(labels, (label) => label === labels[0] && label), wide);
    const unreached = which(reached, (value) => value > radius);
    if (!region) {
      region = unreached;
      continue;
    }
    const before = region;
    const more = pieces(unreached.map((full, i) => (full && !before[i] ? 1 : 0)), wide);
    const widest = new Float32Array(more.count + 1);
    more.labels.forEach((label, i) => {
      widest[label] = Math.max(widest[label], away[i]);
    });
    region = before.map((full, i) => (full || (more.labels[i] && widest[more.labels[i]] >= BODY * radius) ? 1 : 0));
  }
  return lines.map((_, i) => region[(Math.floor(i / side) + edge) * wide + (i % side) + edge]);
}

const eroded = (mask, side, by) => signedDistance(mask, side).map((away) => (away < 0.5 - by ? 1 : 0));

function closedGaps(mask, side, by) {
  const grown = which(distanceTo(mask, side), (away) => away <= by);
  return which(distanceTo(grown.map((full) => 1 - full), side), (away) => away > by);
}

/**
 * The ways without a model that suit a drawing, the best first.
 * @param {{mask: Uint8Array, closed: boolean}} outline
 */
export function suits({ mask, closed }, side) {
  if (!closed) return [];
  if (straightness(mask, side) >= STRAIGHT) return ["extrude", "inflate", "revolve"];
  if (mirrored(mask, side) >= SYMMETRIC && unbroken(mask, side) >= UNBROKEN) return ["revolve", "inflate", "extrude"];
  return ["inflate", "extrude", "revolve"];
}

/** IoU of a region and its mirror image about the middle of its box. */
function mirrored(mask, side) {
  const [left, top, right, bottom] = boxOf(mask, side);
  let [both, either] = [0, 0];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const [a, b] = [mask[row * side + column], mask[row * side + left + right - 1 - column]];
      both += a & b;
      either += a | b;
    }
  }
  return both / either;
}

/** The share of a region's rows that it fills in one piece. */
function unbroken(mask, side) {
  let [one, some] = [0, 0];
  for (let row = 0; row < side; row++) {
    let starts = 0;
    for (let column = 1; column < side; column++) starts += mask[row * side + column] > mask[row * side + column - 1];
    one += starts === 1;
    some += starts > 0;
  }
  return one / Math.max(some, 1);
}

/** The share of the longest outline in long straight pieces. */
function straightness(mask, side) {
  const around = contour(mask, side);
  const length = lengthOf(around);
  const far = around.reduce((best, [x, y], i) => (Math.hypot(x - around[0][0], y - around[0][1]) > best[0]
    ? [Math.hypot(x - around[0][0], y - around[0][1]), i] : best), [0, 0])[1];
  const corners = [...simplified(around.slice(0, far + 1), 0.005 * length), ...simplified([...around.slice(far), around[0]], 0.005 * length).slice(1)];
  let straight = 0;
  for (let i = 1; i < corners.length; i++) {
    const piece = Math.hypot(corners[i][0] - corners[i - 1][0], corners[i][1] - corners[i - 1][1]);
    if (piece > 0.07 * length) straight += piece;
  }
  return corners.length < 4 ? 0 : straight / length;
}

function lengthOf(points) {
  return points.reduce((sum, [x, y], i) => {
    const [px, py] = points[(i || points.length) - 1];
    return sum + Math.hypot(x - px, y - py);
  }, 0);
}

/** The pixels along the edge of the first piece of a region, in order (Moore's walk). */
function contour(mask, side) {
  const start = mask.indexOf(1);
  const around = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];
  const full = (x, y) => x >= 0 && y >= 0 && x < side && y < side && mask[y * side + x];
  let [x, y, from] = [start % side, Math.floor(start / side), 6];
  const points = [[x, y]];
  for (let step = 0; step < 8 * side * side; step++) {
    let turn = 0;
    while (turn < 8 && !full(x + around[(from + turn) % 8][0], y + around[(from + turn) % 8][1])) turn++;
    if (turn === 8) break;
    const way = (from + turn) % 8;
    x += around[way][0];
    y += around[way][1];
    if (x === points[0][0] && y === points[0][1]) break;
    points.push([x, y]);
    from = (way + 6) % 8;
  }
  return points;
}

/** Douglas and Peucker's simplification of an open line. */
function simplified(points, tolerance) {
  if (points.length < 3) return points;
  const [[ax, ay], [bx, by]] = [points[0], points.at(-1)];
  const length = Math.hypot(bx - ax, by - ay) || 1;
  let [most, at] = [0, 0];
  for (let i = 1; i < points.length - 1; i++) {
    const away = Math.abs((bx - ax) * (points[i][1] - ay) - (by - ay) * (points[i][0] - ax)) / length;
    if (away > most) [most, at] = [away, i];
  }
  if (most <= tolerance) return [points[0], points.at(-1)];
  return [...simplified(points.slice(0, at + 1), tolerance), ...simplified(points.slice(at), tolerance).slice(1)];
}
