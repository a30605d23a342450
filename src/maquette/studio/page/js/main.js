import { listenForPictures } from "./pictures.js";
import { History } from "./history.js";
import { job, latest } from "./job.js";
import { Local } from "./local/local.js";
import { Server } from "./local/server.js";
import { Pad } from "./pad.js";
import { measures, offer, report } from "./report.js";
import { SAMPLES } from "./samples.js";
import { theme } from "./theme.js";
import { Viewer } from "./viewer.js";
import { figure, speak, spoken, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const TRACED = 0.35; // how strong a picture is that is drawn over
const GHOST = 0.22;

/**
 * One drawing and its object.
 * @typedef {object} Sheet
 * @property {number} object its number in the worker
 * @property {object[]} strokes
 * @property {HTMLCanvasElement | null} picture under the strokes, or what the object is made of
 * @property {boolean} ghost whether the picture is that of an object seen from another side
 * @property {number | undefined} onto the object that this one adds a side to
 * @property {number | undefined} azimuth from where it was drawn, in degrees
 * @property {object | null} seen what the worker says of it
 * @property {string} way
 * @property {number} sides how many were drawn
 */

let numbers = 0;
/** @returns {Sheet} */
const blank = () => ({ object: ++numbers, strokes: [], picture: null, ghost: false, seen: null, way: "", sides: 1 });
let sheet = blank();
let back = null; // the sheet before another side was begun
let made = null; // the present mesh
let threshold = 0.4;

const pad = new Pad($("pad"));
const viewer = makeViewer();
const history = new History($("history"), $("objects"), open);
const say = (text) => { $("said").textContent = text; };

function makeViewer() {
  try {
    return new Viewer($("viewer"));
  } catch {
    $("waiting").dataset.word = "no3d";
    return null;
  }
}

function fail(key) {
  $("error").textContent = key ? word(key) : "";
  $("error").hidden = !key;
}

function progress(text, share) {
  $("progress").hidden = !text;
  $("progress-text").textContent = text ?? "";
  if (share === undefined) $("progress-bar").removeAttribute("value");
  else $("progress-bar").value = share;
}

const server = Server.found();
const local = server && new Local(server, {
  fail: (text) => { $("error").textContent = text; $("error").hidden = !text; },
  progress, takePicture, renew: () => renew(),
  present: () => ({ made, sheet, azimuth: viewer?.azimuth ?? 30, elevation: viewer?.elevation ?? 20 }),
  threshold: (value) => { $("threshold").value = value; },
  show: (found, kind, again) => showGiven(found, kind, again),
  settings: () => settings(),
});

const ready = (async () => {
  const tell = (share) => progress(word("loading", { share: figure(100 * share) }), share);
  tell(0);
  try {
    ({ threshold } = await job("load", { base: new URL("./", document.baseURI).href }, tell));
    $("threshold").value = threshold;
    await local?.begin();
    progress(null);
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    progress(null);
    fail(error.key ?? "noModel");
    throw error;
  }
})();
ready.then(keepOffline, () => {});

async function keepOffline() {
  if (local || !("serviceWorker" in navigator) || !isSecureContext) return;
  try {
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
    document.documentElement.dataset.offline = "yes";
  } catch {
    // a browser that keeps nothing: the page works all the same
  }
}

/** Makes the object of a sheet: what it shows, then its mesh. */
const make = latest(async (of) => {
  fail(null);
  try {
    await ready;
    if (of === sheet) progress(word("thinking"));
    of.engine = local?.engine ?? null;
    of.seen = await (of.engine ? of.engine.look(of, settings()) : look(of));
    if (!of.chosen || !of.seen.ways.includes(of.way)) of.way = of.seen.best;
    await shape(of);
  } catch (error) {
    fail(error.key ?? "broken");
  } finally {
    progress(null);
  }
});

/** What a sheet shows, by the page's own model. */
async function look({ object, strokes, picture, onto, azimuth }) {
  const bitmap = strokes.length ? null : await createImageBitmap(picture);
  return job("look", { object, strokes, bitmap, onto, azimuth }, undefined, bitmap ? [bitmap] : []);
}

const settings = () => ({
  sizeMm: Math.min(Math.max(+$("size").value || 100, 10), 500), plateMm: +$("base").value, threshold: +$("threshold").value,
});

/** The mesh of a sheet whose picture has been looked at. */
async function shape(of) {
  const { object, way, engine } = of;
  const found = await (of.given ? of.given(settings()) : engine ? engine.mesh(of, way, settings()) : job("mesh", { object, way, ...settings() }));
  if (of !== sheet) return;
  made = found;
  show(of);
}

const reshape = latest(async () => {
  if (!sheet.seen) return;
  fail(null);
  try {
    await shape(sheet);
  } catch (error) {
    fail(error.key ?? "broken");
  }
});

function show(of) {
  $("waiting").hidden = true;
  $("controls").hidden = false;
  if (viewer) {
    viewer.show(made);
    if (!viewer.moved) placeCamera(of);
    requestAnimationFrame(() => requestAnimationFrame(shown));
  } else shown();
  describe(of);
  history.put(of, viewer?.picture(168));
  say(word("done", { measures: measures(made), verdict: $("verdict").textContent }));
}

/** For whoever measures: from the pen's last touch to the mesh on the screen. */
function shown() {
  document.documentElement.dataset.shown = String(+(document.documentElement.dataset.shown ?? 0) + 1);
  if (performance.getEntriesByName("pen-up").length) performance.measure("pen-to-mesh", "pen-up");
  performance.clearMarks("pen-up");
}

/** Looks at a new object from where it was drawn, or a little from the side. */
function placeCamera(of) {
  const degrees = (value) => (value * 180) / Math.PI;
  if (of.azimuth !== undefined) return;
  const { pose } = of.seen;
  if (of.way === "model" && pose) viewer.lookFrom(degrees(pose[0]), Math.min(Math.max(degrees(pose[1]), 12), 50));
  else viewer.lookFrom(28, 18);
}

function describe(of) {
  report(of, made);
  const flat = of.way !== "model";
  $("threshold-label").hidden = flat;
  $("other-side").hidden = flat;
  $("plot-open").hidden = !local;
  offer(of, choose);
}

function choose(way) {
  Object.assign(sheet, { way, chosen: true });
  if (viewer) viewer.moved = false;
  reshape();
  offer(sheet, choose);
}

/** Writes the pad's surroundings for the present sheet. */
function arrange() {
  const empty = !pad.strokes.length && !sheet.picture;
  $("hint").hidden = !empty;
  $("side-note").hidden = !sheet.ghost || pad.strokes.length > 0;
  $("undo").disabled = !pad.canUndo;
  $("redo").disabled = !pad.canRedo;
  $("underlay").hidden = !sheet.picture || sheet.ghost;
  const over = pad.strokes.length || $("trace").checked;
  pad.underlay(sheet.picture, sheet.ghost ? GHOST : over ? TRACED : 1);
}

/** Makes the object again after the drawing has changed; without a drawing there is none. */
function renew() {
  sheet.strokes = pad.strokes;
  arrange();
  const asPicture = sheet.picture && !sheet.ghost && !$("trace").checked;
  if (pad.strokes.length || asPicture) make(sheet);
  else if (!sheet.ghost) hide();
}

function hide() {
  made = null;
  viewer?.hide();
  fail(null);
  for (const id of ["controls", "verdict"]) $(id).hidden = true;
  $("waiting").hidden = false;
  $("measures").textContent = "";
}

pad.changed = () => {
  performance.clearMarks("pen-up");
  performance.mark("pen-up");
  renew();
};
pad.touched = () => { $("hint").hidden = true; };

/** Takes up an object of the history, or a new sheet. @param {Sheet} other */
function open(other) {
  sheet = other;
  back = null;
  $("trace").checked = false;
  pad.reset(sheet.strokes);
  arrange();
  if (viewer) viewer.moved = false;
  if (sheet.seen) reshape();
  else hide();
}

/**
 * Shows an object that came as a whole: of a scan, or a relief.
 * @param {object} found
 * @param {"scan" | "relief"} kind
 * @param {(settings: object) => Promise<object>} again makes it with other settings
 */
function showGiven(found, kind, again) {
  const kept = kind === "relief" ? { picture: sheet.picture, strokes: sheet.strokes } : {};
  let first = found;
  const given = async (asked) => {
    const made = first ?? await again(asked);
    first = null;
    return made;
  };
  const seen = { verdict: { sure: true, reasons: [] }, ways: [kind], best: kind, pose: null };
  open({ ...blank(), ...kept, given, way: kind, seen });
}

/** @param {HTMLCanvasElement} picture */
function takePicture(picture) {
  open({ ...blank(), picture });
  renew();
}

function otherSide() {
  if (!sheet.seen || !viewer) return;
  const from = sheet;
  const azimuth = viewer.azimuth;
  sheet = { ...blank(), picture: viewer.picture(), ghost: true, onto: from.object, azimuth, sides: from.sides + 1 };
  back = from;
  pad.reset();
  arrange();
  say(word("otherSideMore"));
  $("pad").focus();
}

/** While nothing is drawn from another side yet, the faint picture turns with the object. */
function follow() {
  if (!sheet.ghost || pad.strokes.length || !back) return;
  Object.assign(sheet, { picture: viewer.picture(), azimuth: viewer.azimuth });
  arrange();
}
if (viewer) viewer.turned = follow;

async function download(kind) {
  if (!made) return;
  progress(word("saving"));
  try {
    const { bytes } = await job("file", { kind, vertices: made.vertices, faces: made.faces });
    const link = Object.assign(document.createElement("a"), { download: `maquette.${kind}`, href: URL.createObjectURL(new Blob([bytes])) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    fail(error.key ?? "broken");
  } finally {
    progress(null);
  }
}

for (const kind of ["stl", "3mf", "glb"]) $(kind === "3mf" ? "threemf" : kind).addEventListener("click", () => download(kind));
$("undo").addEventListener("click", () => pad.undo());
$("redo").addEventListener("click", () => pad.redo());
$("clear").addEventListener("click", () => open(blank()));
$("width").addEventListener("input", (event) => { pad.width = +event.target.value; });
for (const [id, erasing] of [["pen", false], ["eraser", true]]) {
  $(id).addEventListener("click", () => {
    pad.erasing = erasing;
    $("pen").ariaPressed = String(!erasing);
    $("eraser").ariaPressed = String(erasing);
  });
}
let sample = 0;
$("example").addEventListener("click", () => {
  open(blank());
  pad.set(SAMPLES[sample++ % SAMPLES.length].map((points) => (
    { points: points.map(([x, y]) => [x + pad.left, y]), width: pad.width })));
});
$("trace").addEventListener("change", renew);
$("remove-picture").addEventListener("click", () => {
  sheet.picture = null;
  renew();
});
$("size").addEventListener("change", (event) => {
  event.target.value = Math.min(Math.max(+event.target.value || 100, 10), 500);
  reshape();
});
$("base").addEventListener("change", reshape);
$("threshold").addEventListener("input", reshape);
$("other-side").addEventListener("click", otherSide);
$("cancel-side").addEventListener("click", () => back && open(back));
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || /INPUT|SELECT/.test(event.target.tagName)) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) pad.redo();
  else pad.undo();
});
listenForPictures(takePicture, fail, local && ((file) => local.read(file)));

$("language").value = spoken();
$("language").addEventListener("change", (event) => {
  speak(event.target.value);
  if (made) describe(sheet);
  viewer?.recolour();
  history.speak();
});
speak();
theme($("theme"), () => viewer?.recolour());
