import { paint } from "./intake/lines.js";

const SIZE = 1000; // units from top to bottom; as many to the right as fit
const INK = "#23211d";
const STEP = 12; // of an arrow key

/** A pad to draw on; every change of the strokes calls `changed`. */
export class Pad {
  /** @type {import("./intake/lines.js").Stroke[]} */
  strokes = [];
  width = 8;
  erasing = false;
  /** Called when a stroke is done, and after undo, redo and clearing. */
  changed = () => {};
  /** Called with the first touch of a stroke. */
  touched = () => {};
  #past = [];
  #future = [];
  #line = null;
  #under = null;
  #faint = 1;
  #cursor = null;
  #planned = false;
  #wide = SIZE;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#lift(true));
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }

  /** Takes other strokes; the present ones can be brought back. */
  set(strokes) {
    this.#past.push(this.strokes);
    this.#future = [];
    this.strokes = strokes;
    this.draw();
    this.changed();
  }

  undo() { this.#travel(this.#past, this.#future); }
  redo() { this.#travel(this.#future, this.#past); }

  #travel(from, to) {
    if (!from.length || this.#line) return;
    to.push(this.strokes);
    this.strokes = from.pop();
    this.draw();
    this.changed();
  }

  /** Strokes of another drawing, with nothing to undo. */
  reset(strokes = []) {
    this.strokes = strokes;
    this.#past = [];
    this.#future = [];
    this.draw();
  }

  /** A picture under the strokes, as strong as `share`; null for none. */
  underlay(image, share = 1) {
    this.#under = image;
    this.#faint = share;
    this.draw();
  }

  /** Draws everything with the next frame. */
  draw() {
    if (this.#planned) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      this.#paint();
    });
  }

  #resize() {
    const { clientWidth, clientHeight } = this.canvas;
    const before = this.#wide;
    this.#wide = clientHeight ? Math.round((SIZE * clientWidth) / clientHeight) : SIZE;
    this.canvas.height = SIZE;
    this.canvas.width = this.#wide;
    const shift = (this.#wide - before) / 2;
    if (shift) {
      const moved = (strokes) => strokes.map((stroke) => ({ ...stroke, points: stroke.points.map(([x, y]) => [x + shift, y]) }));
      this.strokes = moved(this.strokes);
      this.#past = this.#past.map(moved);
      this.#future = this.#future.map(moved);
    }
    this.draw();
  }

  /** Where a square of the pad's height begins in the middle of it. */
  get left() { return (this.#wide - SIZE) / 2; }

  #paint() {
    const { context } = this;
    context.clearRect(0, 0, this.#wide, SIZE);
    if (this.#under) {
      const { width, height } = this.#under;
      const scale = Math.min(this.#wide / width, SIZE / height);
      context.globalAlpha = this.#faint;
      context.drawImage(this.#under, (this.#wide - width * scale) / 2, (SIZE - height * scale) / 2, width * scale, height * scale);
      context.globalAlpha = 1;
    }
    context.strokeStyle = INK;
    paint(context, this.#line && !this.erasing ? [...this.strokes, this.#line] : this.strokes, 1, 0, 0);
    if (this.#cursor) this.#paintCursor(...this.#cursor);
  }

  #paintCursor(x, y) {
    const { context } = this;
    context.strokeStyle = this.#line ? "#c2410c" : "#62666f";
    context.lineWidth = 4;
    context.beginPath();
    context.arc(x, y, 14, 0, 7);
    context.moveTo(x - 26, y);
    context.lineTo(x + 26, y);
    context.moveTo(x, y - 26);
    context.lineTo(x, y + 26);
    context.stroke();
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top].map((value) => value * (SIZE / box.height));
  }

  #down(event) {
    if (event.button > 0 || this.#line) return; // one pen at a time
    event.preventDefault();
    this.canvas.focus({ preventScroll: true, focusVisible: false });
    this.canvas.setPointerCapture(event.pointerId);
    this.#cursor = null;
    this.#begin(this.#place(event), event.pointerId, this.erasing || event.button === 5 || event.buttons === 32);
  }

  #begin(place, pointer, erase = this.erasing) {
    this.touched();
    this.#line = { points: [place], width: this.width, pointer, erase, before: this.strokes };
    if (erase) this.#erase(place);
    this.draw();
  }

  #move(event) {
    if (this.#line?.pointer !== event.pointerId) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) this.#extend(this.#place(one));
  }

  #extend(place) {
    const [x, y] = this.#line.points.at(-1);
    if (Math.hypot(place[0] - x, place[1] - y) < 1.5) return;
    this.#line.points.push(place);
    if (this.#line.erase) this.#erase(place);
    this.draw();
  }

  #up(event) {
    if (this.#line?.pointer === event.pointerId) this.#finish();
  }

  #finish() {
    const { points, width, erase, before } = this.#line;
    this.#line = null;
    const after = erase ? this.strokes : [...this.strokes, { points, width }];
    this.strokes = before;
    if (after !== before) this.set(after);
    else this.draw();
  }

  /** Cuts what lies under the eraser out of the strokes. */
  #erase([x, y]) {
    const reach = 14 + this.width;
    const kept = [];
    let hit = false;
    for (const stroke of this.strokes) {
      let run = [];
      const close = () => {
        if (run.length > 1 || (run.length && stroke.points.length === 1)) kept.push({ ...stroke, points: run });
        run = [];
      };
      for (const point of dense(stroke.points, reach / 2)) {
        if (Math.hypot(point[0] - x, point[1] - y) < reach + stroke.width / 2) {
          hit = true;
          close();
        } else run.push(point);
      }
      close();
    }
    if (hit) this.strokes = kept;
  }

  #key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      event.preventDefault();
      const [x, y] = this.#cursor ?? [this.#wide / 2, SIZE / 2];
      const step = event.shiftKey ? 4 * STEP : STEP;
      const limits = [this.#wide, SIZE];
      this.#cursor = [x + way[0] * step, y + way[1] * step].map((value, k) => Math.min(Math.max(value, 10), limits[k] - 10));
      if (this.#line) this.#extend(this.#cursor);
      this.draw();
    } else if (event.key === " ") {
      event.preventDefault();
      this.#cursor ??= [this.#wide / 2, SIZE / 2];
      if (this.#line) this.#lift(false);
      else this.#begin(this.#cursor, "keys");
    } else if (event.key === "Escape") this.#lift(true);
  }

  #lift(away) {
    if (this.#line?.pointer === "keys") this.#finish();
    if (away && this.#cursor) {
      this.#cursor = null;
      this.draw();
    }
  }
}

/** A line with points no further apart than `step`, so that its middle can be erased. */
function dense(points, step) {
  const made = [points[0]];
  for (let i = 1; i < points.length; i++) {
    const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
    const parts = Math.max(1, Math.ceil(Math.hypot(bx - ax, by - ay) / step));
    for (let k = 1; k <= parts; k++) made.push([ax + ((bx - ax) * k) / parts, ay + ((by - ay) * k) / parts]);
  }
  return made;
}
