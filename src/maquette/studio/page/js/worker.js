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
import { outlineOverlap } from "./silhouette.js";
import { standing } from "./standing.js";
import { judge } from "./verdict.js";
import { flat } from "./ways/flat.js";
import { outlineOf, suits } from "./ways/outline.js";

/** All that takes time. A message is `{id, what, ...}`; answers are `{id, done}`, `{id, failed}` and `{id, share}`. */

const INK_SIDE = 160;
const KEPT = 40; // objects whose answers stay in memory
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
  const { size, resolution } = model.config;
  const seen = bitmap ? pictureOf(bitmap, size, INK_SIDE) : {
    view: leadOfStrokes(strokes, size).map((value) => 1 - value), ink: leadOfStrokes(strokes, INK_SIDE), photo: false,
  };
  bitmap?.close();
  const outline = seen.ink && outlineOf(seen.ink, INK_SIDE);
  const answer = await model.answer(seen.view);
  const covered = outline?.closed ? outlineOverlap(answer, model.config, outline.mask, INK_SIDE) : undefined;
  const verdict = judge(answer, outline, INK_SIDE, covered);
  const flats = outline ? suits(outline, INK_SIDE) : [];
  let { occupancy } = answer;
  const before = objects.get(onto);
  if (before) {
    const around = azimuth - ((answer.pose?.[0] ?? 0) * 180) / Math.PI;
    const angle = angleBetween(before.occupancy, occupancy, resolution, around);
    occupancy = join(before.occupancy, turned(occupancy, resolution, angle), 1 / (before.views + 1));
  }
  objects.set(object, { occupancy, outline, views: (before?.views ?? 0) + 1 });
  if (objects.size > KEPT) objects.delete(objects.keys().next().value);
  const best = before || verdict.sure || !flats.length ? "model" : flats[0];
  return { verdict, ways: before ? ["model"] : ["model", ...flats], best, pose: answer.pose && [...answer.pose], photo: seen.photo };
}

/** The mesh of an object, made one way, in millimetres. */
function mesh({ object, way, threshold, sizeMm, plateMm }) {
  const known = objects.get(object);
  if (!known) throw new Plain("gone");
  const plate = plateMm / sizeMm;
  const made = way === "model"
    ? surface(known.occupancy, model.config.resolution, { threshold, plate })
    : flat(way, known.outline, INK_SIDE, plate);
  return finished(made, sizeMm);
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
