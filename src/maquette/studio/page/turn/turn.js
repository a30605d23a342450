import { stl } from "../js/files/stl.js";
import { vertexNormals } from "../js/mesher/stairs.js";
import { standing } from "../js/standing.js";
import { theme } from "../js/theme.js";
import { Viewer } from "../js/viewer.js";
import { figure, speak, word } from "../js/words.js";

/** A page with one object in it, to turn: what `--preview html` writes. */
const $ = (id) => document.getElementById(id);
const packed = JSON.parse($("object").textContent);

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

speak();
document.title = document.querySelector("h1").textContent;
const vertices = new Float32Array(await unpacked(packed.vertices));
const faces = new Uint32Array(await unpacked(packed.faces));
const colours = packed.colours ? new Uint8Array(await unpacked(packed.colours)) : null;
const [low, high] = [0, 1].map((end) => [0, 1, 2].map((k) => {
  let found = end ? -Infinity : Infinity;
  for (let i = k; i < vertices.length; i += 3) found = end ? Math.max(found, vertices[i]) : Math.min(found, vertices[i]);
  return found;
}));
const from = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]];
const placed = vertices.map((value, i) => value - from[i % 3]);
const sides = high.map((value, k) => value - low[k]);
const made = { vertices: placed, faces, colours, normals: vertexNormals(placed, faces), sides, standing: standing({ vertices: placed, faces }) };
$("measures").textContent = word("measures", { x: figure(sides[0], 1), y: figure(sides[1], 1), z: figure(sides[2], 1) });
let viewer = null;
try {
  viewer = new Viewer($("viewer"));
  viewer.show(made);
  viewer.lookFrom(28, 18);
} catch {
  $("waiting").hidden = false;
}
theme($("theme"), () => viewer?.recolour());
$("stl").addEventListener("click", () => {
  const href = URL.createObjectURL(new Blob([stl({ vertices: placed, faces })]));
  Object.assign(document.createElement("a"), { download: packed.file, href }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
});
document.documentElement.dataset.ready = "yes";
