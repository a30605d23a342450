/**
 * The pad's strokes as the model takes a drawing: in a square with a margin of 7 %, lines of 1.15 pixels at least.
 *
 * A stroke is `{points: [[x, y], ...], width}` on a pad of 1000 x 1000.
 * @typedef {{points: number[][], width: number}} Stroke
 */

export const MARGIN = 0.07;
const THINNEST = 1.15;
const DARK = 0.85;

/** Left, top, right and bottom of what strokes cover; null where there are none. @param {Stroke[]} strokes */
export function boxOfStrokes(strokes) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { points, width } of strokes) {
    for (const [x, y] of points) {
      box[0] = Math.min(box[0], x - width / 2);
      box[1] = Math.min(box[1], y - width / 2);
      box[2] = Math.max(box[2], x + width / 2);
      box[3] = Math.max(box[3], y + width / 2);
    }
  }
  return box[2] > box[0] ? box : null;
}

/** Draws strokes on a canvas as smooth lines. */
export function paint(context, strokes, scale, left, top, thinnest = 0) {
  context.lineCap = context.lineJoin = "round";
  for (const { points, width } of strokes) {
    const at = points.map(([x, y]) => [(x - left) * scale, (y - top) * scale]);
    context.lineWidth = Math.max(width * scale, thinnest);
    context.beginPath();
    context.moveTo(...at[0]);
    if (at.length === 1) context.lineTo(at[0][0] + 0.01, at[0][1]);
    for (let i = 1; i < at.length - 1; i++) {
      context.quadraticCurveTo(...at[i], (at[i][0] + at[i + 1][0]) / 2, (at[i][1] + at[i + 1][1]) / 2);
    }
    if (at.length > 1) context.lineTo(...at.at(-1));
    context.stroke();
  }
}

/**
 * The lead of a framed drawing: 0 is paper, 1 is lead.
 * @param {Stroke[]} strokes
 * @param {number} side pixels a side
 * @returns {Float32Array}
 */
export function leadOfStrokes(strokes, side) {
  const box = boxOfStrokes(strokes);
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const span = Math.max(box[2] - box[0], box[3] - box[1], 1) / (1 - 2 * MARGIN);
  const [left, top] = [(box[0] + box[2] - span) / 2, (box[1] + box[3] - span) / 2];
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.strokeStyle = "#000";
  paint(context, strokes, side / span, left, top, THINNEST);
  return strengthened(leadOfCanvas(context, side, side));
}

/** 1 minus the grey of a canvas. */
export function leadOfCanvas(context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  const lead = new Float32Array(width * height);
  for (let i = 0; i < lead.length; i++) {
    lead[i] = 1 - (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
  }
  return lead;
}

/** Faint lines made dark, as `maquette.intake.pickup.frame_lead` makes them. */
export function strengthened(lead) {
  const marks = lead.filter((value) => value > 0.15).sort();
  const strength = marks.length ? marks[Math.floor(0.85 * (marks.length - 1))] : 1;
  const factor = Math.max(1, DARK / Math.max(strength, 0.05));
  return lead.map((value) => Math.min(1, value * factor));
}
