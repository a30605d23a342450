import { job } from "../job.js";
import { word } from "../words.js";
import { pictureOf, ServerEngine } from "./engine.js";
import { Plotting } from "./plotting.js";
import { Runs } from "./runs.js";
import { packed } from "./server.js";

const $ = (id) => document.getElementById(id);
const DEPTHS = /[.](png|npy)$/i;

/**
 * What the page can do beside the server of this computer: its models, scans, reliefs, cleaned pages, cameras, plotters
 * and runs. Everything of it is hidden where there is no server.
 */
export class Local {
  /** The engine that makes objects, or null for the page's own. @type {ServerEngine | null} */
  engine = null;
  #models = [];

  /**
   * @param {import("./server.js").Server} server
   * @param {object} page what it may have the page do: `show(made, kind, make)`, `takePicture`, `renew`, `present`,
   *   `settings`, `fail`, `progress`, `threshold`
   */
  constructor(server, page) {
    Object.assign(this, { server, page });
    this.server_engine = new ServerEngine(server);
    this.plotting = new Plotting(server, page.present);
    this.#scans();
    this.#reliefs();
    $("clean").hidden = false;
    $("clean").addEventListener("click", () => this.#busy(async () => this.page.takePicture(await this.#clean())));
    $("maker").addEventListener("change", () => this.#choose());
    $("slicer").hidden = false;
    $("slicer").addEventListener("click", () => this.#busy(() => this.#slice()));
  }

  /** Asks the server what it has. */
  async begin() {
    const { models, plotters, cameras, runs } = await this.server.json("GET", "about");
    this.#models = models;
    const views = models.filter(({ reads }) => reads === "views");
    $("maker").replaceChildren(...views.map(({ name }) => new Option(name, name)), new Option(word("thisPage"), ""));
    $("maker-label").hidden = false;
    $("scan").hidden = !models.some(({ reads }) => reads === "scans");
    this.plotting.offer(plotters);
    if (runs) this.runs = new Runs(this.server);
    $("desk-camera").hidden = !cameras.length;
    $("desk-camera").addEventListener("click", () => this.#busy(async () => {
      this.page.takePicture(await canvasOf(await (await this.server.ask("POST", "camera/0")).blob()));
    }));
    this.#choose();
  }

  /** A picture that the browser cannot read, by the server. @param {File} file */
  async read(file) {
    return canvasOf(await (await this.server.ask("POST", "picture", {}, packed([file]))).blob());
  }

  #choose() {
    const name = $("maker").value;
    this.engine = name ? this.server_engine : null;
    this.server_engine.model = name;
    const found = this.#models.find((one) => one.name === name);
    if (found) this.page.threshold(found.threshold);
    this.page.renew();
  }

  /** Hands the object to OrcaSlicer, by the link that it listens to. */
  async #slice() {
    const { vertices, faces } = this.page.present().made;
    const { bytes } = await job("file", { kind: "3mf", vertices, faces });
    const { address } = await (await this.server.ask("POST", "handed", {}, new Blob([bytes]))).json();
    $("slicer-link").href = `orcaslicer://open?file=${encodeURIComponent(address)}`;
    $("slicer-link").click();
  }

  async #clean() {
    return canvasOf(await (await this.server.ask("POST", "page", {}, packed([await pictureOf(this.page.present().sheet)]))).blob());
  }

  #scans() {
    const file = $("scan-file");
    $("scan").addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      if (!file.files[0]) return;
      const depth = DEPTHS.test(file.files[0].name);
      $("scan-name").textContent = file.files[0].name;
      $("scan-depth").hidden = !depth;
      $("scan-points").hidden = depth;
      $("scan-dialog").showModal();
    });
    $("scan-close").addEventListener("click", () => $("scan-dialog").close());
    $("scan-dialog").addEventListener("close", () => { file.value = ""; });
    $("scan-make").addEventListener("click", () => this.#busy(async () => {
      const chosen = file.files[0];
      const kind = chosen.name.split(".").at(-1).toLowerCase();
      const fields = { kind };
      if (DEPTHS.test(chosen.name)) {
        for (const name of ["fx", "fy", "cx", "cy"]) fields[name] = $(`scan-${name}`).value;
        fields.depth_scale = $("scan-scale").value;
      } else if ($("scan-upright").checked) fields.upright = true;
      const bytes = new Blob([await chosen.arrayBuffer()]); // the input is emptied when the dialog closes
      await this.#give("scan", $("scan-dialog"), ({ sizeMm, plateMm }) => (
        this.server.mesh("scan", { ...fields, size_mm: sizeMm, base_mm: plateMm }, bytes)));
    }, "scan-error"));
  }

  #reliefs() {
    $("relief-open").hidden = false;
    $("relief-open").addEventListener("click", () => $("relief-dialog").showModal());
    $("relief-close").addEventListener("click", () => $("relief-dialog").close());
    const way = $("relief-way");
    const fit = () => {
      $("relief-thickness-label").hidden = way.value === "revolve";
      $("relief-lines-label").hidden = way.value === "revolve" || way.value === "lithophane";
    };
    way.addEventListener("change", fit);
    fit();
    $("relief-make").addEventListener("click", () => this.#busy(async () => {
      const lines = $("relief-lines-label").hidden ? "" : $("relief-lines").value;
      const fields = {
        way: way.value, ring_hole_mm: $("relief-ring").value,
        thickness_mm: way.value === "revolve" ? "" : $("relief-thickness").value,
        engrave_mm: lines === "engrave" ? 1 : "", emboss_mm: lines === "emboss" ? 1 : "",
      };
      const body = packed([await pictureOf(this.page.present().sheet)]);
      await this.#give("relief", $("relief-dialog"), ({ sizeMm, plateMm }) => (
        this.server.mesh("relief", { ...fields, size_mm: sizeMm, base_mm: plateMm }, body)));
    }, "relief-error"));
  }

  /** Shows an object that the server makes as a whole; it is made again for another size or base. */
  async #give(kind, dialog, make) {
    const first = await make(this.page.settings());
    dialog.close();
    this.page.show(first, kind, make);
  }

  /** Does something that takes long; what goes wrong is shown. */
  async #busy(work, error = "") {
    const say = (text) => { if (error) $(error).textContent = text; else this.page.fail(text); };
    say("");
    this.page.progress(word("thinking"));
    try {
      await work();
    } catch (problem) {
      say(word(problem.key ?? "broken"));
    } finally {
      this.page.progress(null);
    }
  }
}

async function canvasOf(blob) {
  const bitmap = await createImageBitmap(blob);
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas;
}
