import { word } from "../words.js";
import { pictureOf } from "./engine.js";
import { meshBody, packed } from "./server.js";

const SVG = "http://www.w3.org/2000/svg";
const ASK_MS = 500;
const $ = (id) => document.getElementById(id);

/** The object or the drawing as lines for a pen: looked at, saved as a file, or drawn by a plotter of the server's list. */
export class Plotting {
  #drawing = null; // the server's number of what is shown
  #wanted = 0;
  #asking = 0;

  /**
   * @param {import("./server.js").Server} server
   * @param {() => {made: object, sheet: object, azimuth: number, elevation: number}} present
   */
  constructor(server, present) {
    Object.assign(this, { server, present });
    $("plot-open").hidden = false;
    $("plot-open").addEventListener("click", () => this.#open());
    $("plot-close").addEventListener("click", () => $("plot-dialog").close());
    $("plot-dialog").addEventListener("close", () => clearInterval(this.#asking));
    for (const id of ["plot-of", "plot-page", "plot-landscape", "plot-hatch"]) $(id).addEventListener("change", () => this.#draw());
    for (const kind of ["svg", "gcode", "hpgl"]) $(`plot-${kind}`).addEventListener("click", () => this.#save(kind));
    $("plot-start").addEventListener("click", () => this.#tell("POST", "", { drawing: this.#drawing }));
    for (const name of ["pause", "resume", "stop"]) {
      $(`plot-${name}`).addEventListener("click", () => this.#tell("POST", "/press", { key: name }));
    }
  }

  /** @param {{port: string}[]} plotters */
  offer(plotters) {
    $("plot-plotter").replaceChildren(...plotters.map(({ port }, number) => new Option(port, number)));
    $("plot-machine").hidden = !plotters.length;
    $("plot-none").hidden = plotters.length > 0;
  }

  async #open() {
    $("plot-dialog").showModal();
    this.#asking = setInterval(() => this.#ask(), ASK_MS);
    await this.#draw();
  }

  async #draw() {
    const turn = ++this.#wanted;
    const { made, sheet, azimuth, elevation } = this.present();
    const of = $("plot-of").value;
    const body = of === "mesh" ? meshBody(made) : packed([await pictureOf(sheet)]);
    const fields = { of, page: $("plot-page").value, landscape: $("plot-landscape").checked, hatch: $("plot-hatch").value };
    if (of === "mesh") Object.assign(fields, { azimuth_deg: azimuth.toFixed(2), elevation_deg: elevation.toFixed(2) });
    this.#show(null, word("thinking"));
    try {
      const told = await (await this.server.ask("POST", "drawing", fields, body)).json();
      if (turn === this.#wanted) this.#show(told, told.line);
    } catch (error) {
      if (turn === this.#wanted) this.#show(null, word(error.key));
    }
  }

  #show(told, line) {
    this.#drawing = told?.drawing ?? null;
    $("plot-line").textContent = line;
    for (const id of ["plot-svg", "plot-gcode", "plot-hpgl", "plot-start"]) $(id).disabled = !told;
    $("plot-sheet").replaceChildren();
    if (!told) return;
    const [width, height] = told.page_mm;
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", line);
    for (const stroke of told.strokes) {
      const part = document.createElementNS(SVG, "polyline");
      part.setAttribute("points", stroke.map((place) => place.join(",")).join(" "));
      picture.append(part);
    }
    $("plot-sheet").append(picture);
  }

  async #save(kind) {
    try {
      const response = await this.server.ask("GET", `drawing/${this.#drawing}`, { kind });
      const link = Object.assign(document.createElement("a"), { download: `maquette.${kind}`, href: URL.createObjectURL(await response.blob()) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      $("plot-line").textContent = word(error.key);
    }
  }

  async #tell(method, path, fields) {
    if ($("plot-plotter").value === "") return;
    try {
      this.#report(await this.server.json(method, `plotters/${$("plot-plotter").value}${path}`, fields));
    } catch (error) {
      $("plot-state").textContent = word(error.key);
    }
  }

  #ask() { this.#tell("GET", "", {}); }

  #report({ state, share, line }) {
    const busy = state === "drawing" || state === "paused";
    $("plot-state").textContent = [word(`plotter-${state}`), line].filter(Boolean).join(" ");
    $("plot-progress").hidden = !busy;
    $("plot-progress").value = share;
    $("plot-start").hidden = busy;
    $("plot-pause").hidden = state !== "drawing";
    $("plot-resume").hidden = state !== "paused";
    $("plot-stop").hidden = !busy;
  }
}
