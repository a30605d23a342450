import { figure, word } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDE, HIGH] = [320, 120];
const AGAIN_MS = 15_000;
const $ = (id) => document.getElementById(id);

/** The trainings of a folder: how far they are, their curves and their newest samples. */
export class Runs {
  #open = null;
  #url = "";

  /** @param {import("./server.js").Server} server */
  constructor(server) {
    this.server = server;
    $("runs").hidden = false;
    $("runs").addEventListener("toggle", () => this.#renew());
    setInterval(() => this.#renew(), AGAIN_MS);
  }

  async #renew() {
    if (!$("runs").open || document.hidden) return;
    try {
      const runs = await this.server.json("GET", "runs");
      $("runs-list").replaceChildren(...runs.map((run) => this.#entry(run)));
      if (this.#open !== null) await this.#show(this.#open);
    } catch (error) {
      $("runs-list").replaceChildren(word(error.key));
    }
  }

  #entry(run) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button" });
    const value = run.value === null || run.value === undefined ? "" : `, ${run.metric} ${figure(run.value, 3)}`;
    const far = word("runFar", { step: figure(run.step), steps: figure(run.steps ?? run.step) });
    button.append(Object.assign(document.createElement("b"), { textContent: run.name }),
      Object.assign(document.createElement("small"), { textContent: `${run.system}: ${far}${value}, ${word(`run-${run.state}`)}` }));
    button.ariaPressed = String(this.#open === run.number);
    button.addEventListener("click", () => {
      for (const other of $("runs-list").querySelectorAll("button")) other.ariaPressed = String(other === button);
      this.#show(run.number);
    });
    item.append(button);
    return item;
  }

  async #show(number) {
    this.#open = number;
    const { curves } = await this.server.json("GET", `runs/${number}`);
    const moves = ({ steps, values }) => steps.length > 1 && values.some((value) => value !== values[0]);
    const names = Object.keys(curves).filter((name) => moves(curves[name]) && name !== "diverged");
    $("runs-curves").replaceChildren(...names.map((name) => chart(name, curves[name])));
    URL.revokeObjectURL(this.#url);
    $("runs-samples").hidden = true;
    const sheet = await this.server.ask("GET", `runs/${number}/samples`);
    if (sheet.status !== 200) return; // this run has drawn no sheet yet
    this.#url = URL.createObjectURL(await sheet.blob());
    $("runs-samples").src = this.#url;
    $("runs-samples").hidden = false;
  }
}

/** One curve: its name, its last value, and its line between the lowest and the highest value. */
function chart(name, { steps, values }) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const [first, last] = [steps[0], steps.at(-1)];
  const place = (step, value) => [
    ((step - first) / Math.max(last - first, 1)) * WIDE, HIGH - 4 - ((value - low) / (high - low || 1)) * (HIGH - 8)];
  const points = steps.map((step, k) => (values[k] === null ? null : place(step, values[k]))).filter(Boolean);
  const figureOf = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const shown = figure(known.at(-1) ?? 0, 3);
  caption.append(Object.assign(document.createElement("span"), { textContent: name }),
    Object.assign(document.createElement("b"), { textContent: shown }));
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", word("curve", { name, low: figure(low, 3), high: figure(high, 3), last: shown }));
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.map((at) => at.map((value) => value.toFixed(1)).join(",")).join(" "));
  picture.append(line);
  const range = Object.assign(document.createElement("small"), { textContent: `${figure(low, 3)} … ${figure(high, 3)}` });
  figureOf.append(caption, picture, range);
  return figureOf;
}
