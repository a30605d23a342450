import { boxOfStrokes, paint } from "../intake/lines.js";
import { packed } from "./server.js";

const MARGIN = 40;

/** Objects that the server makes, by one of its models or by the drawing's outline. */
export class ServerEngine {
  /** The name of a model of the server. */
  model = "";
  /** @type {Map<number, {pictures: Blob[], sides: number[], made: Map<string, object>}>} what was asked for each object */
  #asked = new Map();

  /** @param {import("./server.js").Server} server */
  constructor(server) { this.server = server; }

  /** What a sheet shows, and the ways that suit it. */
  async look(of, settings) {
    const before = of.onto === undefined ? { pictures: [], sides: [] } : this.#asked.get(of.onto);
    if (!before) throw Object.assign(new Error("gone"), { key: "gone" });
    const asked = { pictures: [...before.pictures, await pictureOf(of)], sides: [...before.sides, of.azimuth ?? null], made: new Map() };
    this.#asked.set(of.object, asked);
    const made = await this.#make(asked, "auto", settings);
    const { told } = made;
    if (asked.sides[0] === null && told.pose) asked.sides[0] = (told.pose[0] * 180) / Math.PI;
    asked.made.set(key(told.way, settings), made);
    const reasons = told.reasons.map((one) => one.key || one.text);
    return { verdict: { sure: told.sure, reasons }, ways: told.ways, best: told.way, pose: told.pose, photo: told.photo };
  }

  /** The mesh of a sheet that was looked at, made one way. */
  async mesh(of, way, settings) {
    const asked = this.#asked.get(of.object);
    if (!asked) throw Object.assign(new Error("gone"), { key: "gone" });
    const name = key(way, settings);
    if (!asked.made.has(name)) asked.made.set(name, await this.#make(asked, way, settings));
    return asked.made.get(name);
  }

  #make({ pictures, sides }, by, { sizeMm, plateMm, threshold }) {
    const fields = { model: this.model, size_mm: sizeMm, base_mm: plateMm, threshold };
    if (pictures.length > 1) fields.sides = sides.map((side) => (side ?? 0).toFixed(1)).join(",");
    else fields.by = by;
    return this.server.mesh("object", fields, packed(pictures));
  }
}

const key = (way, settings) => JSON.stringify([way, settings]);

/** The picture of a sheet as a file: its strokes in black on white, or what lies on the pad. */
export async function pictureOf({ strokes, picture }) {
  if (!strokes.length) return new Promise((resolve) => { picture.toBlob(resolve, "image/png"); });
  const [left, top, right, bottom] = boxOfStrokes(strokes);
  const canvas = new OffscreenCanvas(right - left + 2 * MARGIN, bottom - top + 2 * MARGIN);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  paint(context, strokes, 1, left - MARGIN, top - MARGIN);
  return canvas.convertToBlob({ type: "image/png" });
}
