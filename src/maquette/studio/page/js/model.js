import * as ort from "../vendor/ort.js";
import { coarseToFine } from "./fine.js";

const NOISE = 1; // voxels
const CERTAIN = 0.01; // how far from 0 and 1 log-odds are taken

/**
 * The model of the page: a picture in, an object out.
 *
 * `model/model.json` says what it is made of: `{weights, graphs: {picture, points}, size, channels, resolution,
 * threshold, mirrors, label, bytes}`. Graphs point into the weights. The first graph gives the occupancy itself, or
 * what a second one, `points`, is asked about at places of the cube.
 * @typedef {object} Answer
 * @property {Float32Array} occupancy in [0, 1], x the slowest and z the fastest
 * @property {Float32Array | null} pose azimuth, elevation, roll (radians), log of the scale, right, down, nearness
 * @property {Float32Array | null} latent
 * @property {number} agrees IoU of the answers to the picture and to its mirror image
 */

/**
 * Loads the runtime, the graphs and the weights.
 * @param {URL} base where `vendor/` and `model/` are
 * @param {(done: number, all: number) => void} progress in bytes
 * @returns {Promise<{config: object, answer: (view: Float32Array) => Promise<Answer>}>} views are grey or in colour
 */
export async function loadModel(base, progress) {
  const config = await (await get(new URL("model/model.json", base))).json();
  let loaded = 0;
  const count = (more) => progress((loaded += more), config.bytes);
  const read = (name) => bytes(new URL(name, base), count);
  const names = Object.keys(config.graphs);
  const [wasm, weights, ...graphs] = await Promise.all([
    read("vendor/ort-wasm-simd-threaded.wasm.gz").then(unpacked), read(`model/${config.weights}`),
    ...names.map((name) => read(`model/${config.graphs[name]}`)),
  ]);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = wasm.buffer;
  ort.env.logLevel = "error";
  const sessions = {};
  for (const [k, name] of names.entries()) {
    sessions[name] = await ort.InferenceSession.create(graphs[k], {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "disabled",
      externalData: [{ path: config.weights, data: weights }],
    });
  }
  const look = looker(sessions, config);
  return { config, answer: (view) => bothWays(look, view, config) };
}

async function get(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
  return response;
}

/** The content at an address, telling how much of it has come. */
async function bytes(url, count) {
  const response = await get(url);
  const parts = [];
  let length = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    count(value.length);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes that were packed by gzip; as they are where the host has unpacked them on the way. */
async function unpacked(packed) {
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What a view shows, by one graph or by two. */
function looker({ picture, points }, { size, channels, resolution, label }) {
  return async (view) => {
    const pixels = new Float32Array(channels * size * size);
    for (let at = 0; at < pixels.length; at += view.length) pixels.set(view, at); // a grey view in each channel
    const given = { picture: new ort.Tensor("float32", pixels, [1, channels, size, size]) };
    if (label) given.label = new ort.Tensor("int64", BigInt64Array.of(-1n), [1]);
    const { occupancy, volume, logits, pose, latent } = await picture.run(given);
    const told = { pose: pose && Float32Array.from(pose.data), latent: latent && Float32Array.from(latent.data) };
    if (!points) return { occupancy: Float32Array.from(occupancy.data), ...told };
    const many = points.inputMetadata.find(({ name }) => name === "points").shape[1];
    const filled = (places) => inParts(places, many, async (part) => (
      (await points.run({ points: new ort.Tensor("float32", part, [1, many, 3]), volume, logits, pose })).occupancy.data));
    return { occupancy: calm(await coarseToFine(filled, resolution), resolution), ...told };
  };
}

/** A shape without the noise from point to point: its log-odds after a Gaussian, as `maquette.models.predict.calm`. */
function calm(occupancy, side) {
  const empty = Math.log(CERTAIN / (1 - CERTAIN));
  const reach = Math.round(4 * NOISE);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-0.5 * ((k - reach) / NOISE) ** 2));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  let from = occupancy.map((value) => {
    const kept = Math.min(Math.max(value, CERTAIN), 1 - CERTAIN);
    return Math.log(kept / (1 - kept)) - empty;
  });
  for (const step of [side * side, side, 1]) {
    const made = new Float32Array(from.length);
    for (let at = 0; at < from.length; at++) {
      const value = from[at];
      if (value < 1e-6) continue;
      const place = Math.floor(at / step) % side;
      for (let k = Math.max(-reach, -place); k <= Math.min(reach, side - 1 - place); k++) made[at + k * step] += (value * weights[k + reach]) / sum;
    }
    from = made;
  }
  return from.map((value) => 1 / (1 + Math.exp(-value - empty)));
}

/** Asks about places `many` at a time. */
async function inParts(places, many, ask) {
  const found = new Float32Array(places.length / 3);
  for (let start = 0; start < found.length; start += many) {
    const part = new Float32Array(3 * many);
    part.set(places.subarray(3 * start, 3 * (start + many)));
    found.set((await ask(part)).subarray(0, found.length - start), start);
  }
  return found;
}

/** The mean of the answers to a view and to its mirror image, where the model takes it, and how far they agree. */
async function bothWays(look, view, { size, resolution, threshold, mirrors }) {
  const { occupancy: straight, pose, latent } = await look(view);
  const { occupancy: other } = await look(view.map((_, i) => view[i + size - 1 - 2 * (i % size)]));
  const plane = resolution * resolution;
  const occupancy = new Float32Array(straight.length);
  let [and, or] = [0, 0];
  for (let i = 0; i < straight.length; i++) {
    const back = other[(resolution - 1 - Math.floor(i / plane)) * plane + (i % plane)]; // mirrored back along x
    occupancy[i] = mirrors ? (straight[i] + back) / 2 : straight[i];
    const [a, b] = [straight[i] >= threshold, back >= threshold];
    and += a && b;
    or += a || b;
  }
  return { occupancy, pose, latent, agrees: or ? and / or : 0 };
}
