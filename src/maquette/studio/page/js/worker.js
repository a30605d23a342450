import { glb } from "./files/glb.js";
import { stl } from "./files/stl.js";
import { threemf } from "./files/threemf.js";
import { leadOfStrokes } from "./intake/lines.js";
import { pictureOf } from "./intake/picture.js";
import { angleBetween, join, turned } from "./joining.js";
import { keepLargest, toPrint, volume } from "./mesher/solid.js";
import { Plain, surface } from "./mesher/surface.js";
import { vertexNormals } from "./mesher/stairs.js";
import { loadModel } from "./model.js";
import { standing } from "./standing.js";
import { judge } from "./verdict.js";
import { fitCamera, surfaceVoxels, turnedStarts } from "./ways/camera.js";
import { flat } from "./ways/flat.js";
import { obey } from "./ways/obeying.js";
import { outlineOf, suits } from "./ways/outline.js";
import { joinParts, wholeness } from "./ways/parts.js";

/** All that takes time. A message is `{id, what, ...}`; answers are `{id, done}`, `{id, failed}` and `{id, share}`. */

const INK_SIDE = 160;
const KEPT = 40; // objects whose answers stay in memory
const FINE = 64; // voxels a side, at least, at which a shape is mended by the drawn outline
const OBEYS_FROM = 0.6; // IoU of silhouette and outline from which the outline may mend the shape
let model = null;
let loading = null;
/** @type {Map<number, object>} what is known of each object */
const objects = new Map();

const FILES = { stl, "3mf": threemf, glb };
const jobs = { load, look, mesh, file };

self.onmessage = async ({ data: { id, what, ...given } }) => {
  try {
    const done = await jobs[what](given, (share) => self.postMessage({ id, share }));
    const moved = done?.vertices ? [done.vertices.buffer, done.faces.buffer, done.normals.buffer] : [];
    self.postMessage({ id, done }, moved);
  } catch (error) {
    self.postMessage({ id, failed: error instanceof Plain ? error.message : "broken", detail: String(error?.message ?? error) });
  }
};

/** Loads the model and runs everything once, so that the first drawing does not wait. */
async function load({ base }, tell) {
  loading = loadModel(new URL(base), (done, all) => tell(Math.min(0.95, (0.95 * done) / all)));
  model = await loading;
  const { size, resolution, threshold } = model.config;
  const { occupancy } = await model.answer(new Float32Array(size * size).fill(1).map((_, i) => (i % 31 ? 1 : 0)));
  const ball = occupancy.map((_, i) => {
    const at = [Math.floor(i / resolution ** 2), Math.floor(i / resolution) % resolution, i % resolution];
    return Math.hypot(...at.map((value) => value - resolution / 2)) < resolution / 3 ? 1 : 0;
  });
  for (let round = 0; round < 2; round++) finished(surface(ball, resolution, { threshold }), 100);
  return { threshold, resolution };
}

/** What a drawing or a picture shows: the model's answer, how sure it is, and the ways that suit it. */
async function look({ object, strokes, bitmap, onto, azimuth }) {
  await loading;
  const { size, channels, resolution, threshold } = model.config;
  const seen = bitmap ? pictureOf(bitmap, size, INK_SIDE, channels) : {
    view: leadOfStrokes(strokes, size).map((value) => 1 - value), ink: leadOfStrokes(strokes, INK_SIDE), photo: false,
  };
  bitmap?.close();
  const outline = seen.ink && outlineOf(seen.ink, INK_SIDE);
  const answer = await model.answer(seen.view);
  const pose = answer.pose && [...answer.pose];
  const surfaced = outline && pose ? surfaceVoxels(answer.occupancy, resolution, threshold) : [];
  const fit = surfaced.length ? fitCamera(surfaced, 1 / resolution, outline.mask, INK_SIDE, turnedStarts(pose)) : null;
  const verdict = judge(answer, outline, INK_SIDE, outline?.closed ? fit?.overlap : undefined);
  const flats = outline ? suits(outline, INK_SIDE) : [];
  let { occupancy } = answer;
  const { mask, single } = outline ?? {};
  let views = [{ mask, single, pose, fit }];
  const before = objects.get(onto);
  if (before) {
    const around = azimuth - ((pose?.[0] ?? 0) * 180) / Math.PI;
    const angle = angleBetween(before.occupancy, occupancy, resolution, around);
    occupancy = join(before.occupancy, turned(occupancy, resolution, angle), 1 / (before.views.length + 1));
    const there = pose && Object.assign([...pose], { 0: pose[0] + (angle * Math.PI) / 180 });
    views = [...before.views, { mask, single, pose: there }];
  }
  objects.set(object, { occupancy, outline, views, mended: new Map() });
  if (objects.size > KEPT) objects.delete(objects.keys().next().value);
  const best = before || verdict.sure || !flats.length ? "model" : flats[0];
  return { verdict, ways: before ? ["model"] : ["model", ...flats], best, pose, photo: seen.photo };
}

/** An object's occupancy with its parts joined, mended by the outlines of what was drawn, and its voxels a side. */
function mended(known, threshold) {
  const found = known.mended.get(threshold);
  if (found) return found;
  const { resolution } = model.config;
  const side = Math.max(resolution, FINE);
  let occupancy = joinParts(finer(known.occupancy, resolution, side), side, threshold);
  for (const { mask, single, pose, fit } of known.views) {
    if (!mask || !pose) continue;
    const points = surfaceVoxels(occupancy, side, threshold);
    const alone = fit && known.views.length === 1;
    const { pose: from, overlap } = alone ? fit : fitCamera(points, 1 / side, mask, INK_SIDE, [pose]);
    if (!points.length || overlap < OBEYS_FROM) continue;
    occupancy = obey(occupancy, side, threshold, mask, INK_SIDE, from, single);
  }
  known.mended.set(threshold, { occupancy, side });
  return known.mended.get(threshold);
}

/** A grid at more voxels a side, linear between those it has. */
function finer(grid, from, to) {
  if (to <= from) return grid;
  const places = Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.min(Math.floor(at), from - 2);
    return [low, at - low];
  });
  let [values, sizes] = [grid, [from, from, from]];
  for (let axis = 0; axis < 3; axis++) {
    const next = sizes.map((size, k) => (k === axis ? to : size));
    const step = sizes.slice(axis + 1).reduce((product, size) => product * size, 1);
    const outer = sizes.slice(0, axis).reduce((product, size) => product * size, 1);
    const made = new Float32Array(next[0] * next[1] * next[2]);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < to; i++) {
        const [low, share] = places[i];
        const [a, b] = [(o * from + low) * step, (o * from + low + 1) * step];
        for (let s = 0; s < step; s++) made[(o * to + i) * step + s] = values[a + s] * (1 - share) + values[b + s] * share;
      }
    }
    [values, sizes] = [made, next];
  }
  return values;
}

/** The mesh of an object, made one way, in millimetres. */
function mesh({ object, way, threshold, sizeMm, plateMm }) {
  const known = objects.get(object);
  if (!known) throw new Plain("gone");
  const plate = plateMm / sizeMm;
  if (way !== "model") return finished(flat(way, known.outline, INK_SIDE, plate), sizeMm);
  const { occupancy, side } = mended(known, threshold);
  return finished(surface(occupancy, side, { threshold, plate }), sizeMm);
}

/** The bytes of a file of a mesh. */
function file({ kind, vertices, faces }) {
  return { bytes: FILES[kind]({ vertices, faces }) };
}

function finished(made, sizeMm) {
  const { mesh: whole, dropped } = keepLargest(made);
  const printed = toPrint(whole, sizeMm);
  const normals = vertexNormals(printed.vertices, printed.faces);
  return { ...printed, normals, dropped, volumeMm3: volume(printed), standing: standing(printed) };
}
