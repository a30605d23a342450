import { MARGIN, leadOfCanvas, strengthened } from "./lines.js";
import { Plain } from "../mesher/surface.js";

const WORK = 512; // the longest side of the copy that is looked at
const PHOTO_MARGIN = 0.05;
const DIFFERS = 0.1; // from which a pixel is not the plain background

/**
 * The object in a picture: a drawing as lead on white, or a photo in its square.
 * @param {ImageBitmap} bitmap
 * @param {number} side of the model's view
 * @param {number} inkSide of the square in which outlines are found
 * @param {number} [channels] of the model's view: 1 for grey, 3 for red, green and blue
 * @returns {{view: Float32Array, ink: Float32Array | null, photo: boolean}} `view` is 1 for white; a drawing has one
 *   channel, a photo as many as the model
 */
export function pictureOf(bitmap, side, inkSide, channels = 1) {
  const scale = Math.min(1, WORK / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((size) => Math.max(2, Math.round(size * scale)));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  const grey = leadOfCanvas(context, width, height).map((value) => 1 - value);
  const lead = leadOn(grey, width, height);
  if (isDrawing(lead, context, width, height)) {
    const found = boxOfLead(lead, width, height);
    if (!found) throw new Plain("blank");
    return { view: framed(lead, width, found, side).map((v) => 1 - v), ink: framed(lead, width, found, inkSide), photo: false };
  }
  const { data } = context.getImageData(0, 0, width, height);
  const planes = channels === 1 ? [grey] : [0, 1, 2].map((k) => grey.map((_, i) => data[4 * i + k] / 255));
  return { view: photoView(grey, planes, width, height, side), ink: null, photo: true };
}

/** How much darker than its paper each pixel is; the paper is the brightest nearby, smoothed. */
function leadOn(grey, width, height) {
  const reach = Math.round(Math.max(width, height) / 24);
  const paper = spread(spread(spread(grey, width, height, reach, Math.max), width, height, reach, Math.min), width, height, reach, null);
  const dark = grey.map((value, i) => Math.min(Math.max(1 - value / Math.max(paper[i], 0.05), 0), 1));
  const sorted = Float32Array.from(dark.filter((_, i) => i % 7 === 0)).sort();
  const grain = Math.min(sorted[sorted.length >> 1] * 2.5, 0.2);
  const low = Math.max(0.06, grain);
  const lines = dark.filter((value) => value > 2 * low).sort();
  const strong = lines.length ? lines[Math.floor(0.85 * lines.length)] : 1;
  return dark.map((value) => Math.min(Math.max((value - low) / Math.max(strong - low, 0.05), 0), 1));
}

/** The largest, the smallest or (null) the mean value within a square window. */
function spread(values, width, height, reach, pick) {
  let from = values;
  for (const [count, step, lines, next] of [[width, 1, height, width], [height, width, width, 1]]) {
    const to = new Float32Array(from.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < count; i++) {
        const [low, high] = [Math.max(0, i - reach), Math.min(count - 1, i + reach)];
        let found = pick ? from[line * next + low * step] : 0;
        for (let k = low; k <= high; k++) {
          const value = from[line * next + k * step];
          found = pick ? pick(found, value) : found + value / (high - low + 1);
        }
        to[line * next + i * step] = found;
      }
    }
    from = to;
  }
  return from;
}

/** Whether a picture is thin lines on bare, colourless, bright paper. */
function isDrawing(lead, context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  let [marked, bright, coloured] = [0, 0, 0];
  for (let i = 0; i < lead.length; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    marked += lead[i] > 0.4;
    bright += Math.max(r, g, b) > 110;
    coloured += Math.max(r, g, b) - Math.min(r, g, b) > 60;
  }
  const all = lead.length;
  return marked > 0.002 * all && marked < 0.22 * all && bright > 0.7 * all && coloured < 0.1 * all && quiet(lead);
}

/** Whether most of a picture is bare paper. */
const quiet = (lead) => lead.filter((value) => value < 0.05).length > 0.6 * lead.length;

/** The box of the lead without specks. */
function boxOfLead(lead, width, height) {
  const [columns, rows] = [new Float32Array(width), new Float32Array(height)];
  lead.forEach((value, i) => {
    if (value < 0.4) return;
    columns[i % width] += 1;
    rows[Math.floor(i / width)] += 1;
  });
  const ends = (counts) => [counts.findIndex((n) => n > 1), counts.findLastIndex((n) => n > 1) + 1];
  const [[left, right], [top, bottom]] = [ends(columns), ends(rows)];
  return right > left + 8 || bottom > top + 8 ? [left, top, right, bottom] : null;
}

/** A part of a picture in a square with a margin, its lines about a pixel wide or wider. */
function framed(lead, width, [left, top, right, bottom], side) {
  const span = Math.max(right - left, bottom - top) / (1 - 2 * MARGIN);
  const step = span / side;
  const [x0, y0] = [(left + right - span) / 2, (top + bottom - span) / 2];
  const height = lead.length / width;
  const made = new Float32Array(side * side);
  const cells = Math.max(2, Math.ceil(step));
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      let [sum, most] = [0, 0];
      for (let k = 0; k < cells * cells; k++) {
        const x = Math.floor(x0 + (column + ((k % cells) + 0.5) / cells) * step);
        const y = Math.floor(y0 + (row + (Math.floor(k / cells) + 0.5) / cells) * step);
        const value = x >= left && y >= top && x < right && y < bottom && y < height ? lead[y * width + x] : 0;
        sum += value;
        most = Math.max(most, value);
      }
      made[row * side + column] = step > 1.5 ? (sum / (cells * cells) + most) / 2 : sum / (cells * cells);
    }
  }
  return strengthened(made);
}

/** A photo cropped to what stands out from a plain background, padded to a square with the border's colour. */
function photoView(grey, planes, width, height, side) {
  const rim = (_, i) => i < width || i >= width * (height - 1) || i % width === 0 || i % width === width - 1;
  const border = grey.filter(rim).sort();
  const ground = border[border.length >> 1];
  const plain = border.filter((value) => Math.abs(value - ground) < DIFFERS).length / border.length;
  let box = [0, 0, width, height];
  if (plain > 0.85) box = around(grey, width, height, ground) ?? box;
  const span = Math.max(box[2] - box[0], box[3] - box[1]);
  const [x0, y0] = [(box[0] + box[2] - span) / 2, (box[1] + box[3] - span) / 2];
  const squared = planes.map((plane) => {
    const rims = plane.filter(rim).sort();
    return inSquare(plane, width, height, side, span, x0, y0, rims[rims.length >> 1]);
  });
  const made = new Float32Array(planes.length * side * side);
  squared.forEach((plane, k) => made.set(plane, k * side * side));
  const levels = planes.length === 1 ? squared[0] : inSquare(grey, width, height, side, span, x0, y0, ground);
  const sorted = levels.slice().sort();
  const [low, high] = [sorted[Math.floor(0.005 * sorted.length)], sorted[Math.floor(0.995 * (sorted.length - 1))]];
  if (high - low < 0.03) throw new Plain("blank");
  const gain = Math.min(Math.max(0.706 / Math.max(high - low, 0.004), 1), 1.5);
  const [middle, reach] = [(low + high) / 2, (gain * (high - low)) / 2];
  const target = gain === 1 ? middle : Math.min(Math.max(middle, reach), 1 - reach);
  return made.map((value) => Math.min(Math.max((value - middle) * gain + target, 0), 1));
}

/** A plane of a picture in a square of so many pixels, which begins at a place and spans so many of the picture's. */
function inSquare(plane, width, height, side, span, x0, y0, ground) {
  const made = new Float32Array(side * side);
  const [step, cells] = [span / side, Math.max(2, Math.ceil(span / side))];
  for (let i = 0; i < made.length; i++) {
    let sum = 0;
    for (let k = 0; k < cells * cells; k++) {
      const x = Math.floor(x0 + ((i % side) + ((k % cells) + 0.5) / cells) * step);
      const y = Math.floor(y0 + (Math.floor(i / side) + (Math.floor(k / cells) + 0.5) / cells) * step);
      sum += x >= 0 && y >= 0 && x < width && y < height ? plane[y * width + x] : ground;
    }
    made[i] = sum / (cells * cells);
  }
  return made;
}

function around(grey, width, height, ground) {
  const [columns, rows] = [new Uint32Array(width), new Uint32Array(height)];
  grey.forEach((value, i) => {
    if (Math.abs(value - ground) < DIFFERS) return;
    columns[i % width] += 1;
    rows[Math.floor(i / width)] += 1;
  });
  const ends = (counts) => [counts.findIndex((n) => n > 2), counts.findLastIndex((n) => n > 2) + 1];
  const [[left, right], [top, bottom]] = [ends(columns), ends(rows)];
  if (right - left < 0.1 * width || bottom - top < 0.1 * height) return null;
  const margin = PHOTO_MARGIN * Math.max(right - left, bottom - top);
  return [Math.max(0, left - margin), Math.max(0, top - margin), Math.min(width, right + margin), Math.min(height, bottom + margin)];
}
