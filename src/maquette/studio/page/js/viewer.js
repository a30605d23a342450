import * as three from "../vendor/three.js";
import { figure, word } from "./words.js";

const GRID_MM = 10;
const GHOST = 1000;

/** The object in three dimensions: z up, millimetres, on a grid of 10 mm. */
export class Viewer {
  /** Whether the user has turned the object since it was last placed. */
  moved = false;
  /** Called when the object is seen from another side. */
  turned = () => {};
  #labels = [];

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new three.WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: false });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.scene = new three.Scene();
    this.camera = new three.PerspectiveCamera(30, 1, 1, 8000);
    this.camera.up.set(0, 0, 1);
    const sun = new three.DirectionalLight(0xffffff, 2.1);
    sun.position.set(0.5, 0.7, 1);
    this.camera.add(sun);
    this.scene.add(this.camera, new three.HemisphereLight(0xffffff, 0x8a8078, 1.5));
    this.material = new three.MeshStandardMaterial({ roughness: 0.75, metalness: 0 });
    this.mesh = null;
    this.ground = new three.Group();
    this.scene.add(this.ground);
    this.controls = new three.OrbitControls(this.camera, canvas);
    this.controls.enablePan = false;
    this.controls.maxPolarAngle = 1.75;
    this.controls.addEventListener("start", () => { this.moved = true; });
    this.controls.addEventListener("change", () => {
      this.draw();
      this.turned();
    });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resize()).observe(canvas.parentElement);
    this.recolour();
    this.#resize();
  }

  /** Takes its colours from the page's style. */
  recolour() {
    const style = getComputedStyle(document.documentElement);
    this.material.color.set(this.material.vertexColors ? "#fff" : style.getPropertyValue("--shape").trim());
    this.lines = new three.Color(style.getPropertyValue("--soft").trim());
    this.good = new three.Color(style.getPropertyValue("--good").trim());
    this.bad = new three.Color(style.getPropertyValue("--bad").trim());
    if (this.shown) this.#lay(this.shown);
    this.draw();
  }

  /**
   * Shows a mesh.
   * @param {{vertices: Float32Array, faces: Uint32Array, normals: Float32Array, sides: number[], standing: object,
   *   colours?: Uint8Array}} made colours: red, green and blue of each vertex
   */
  show(made) {
    this.hide();
    const geometry = new three.BufferGeometry();
    geometry.setAttribute("position", new three.BufferAttribute(made.vertices, 3));
    geometry.setAttribute("normal", new three.BufferAttribute(made.normals, 3));
    geometry.setIndex(new three.BufferAttribute(made.faces, 1));
    if (made.colours) geometry.setAttribute("color", new three.BufferAttribute(made.colours, 3, true));
    this.material.vertexColors = Boolean(made.colours);
    this.material.needsUpdate = true;
    this.recolour();
    this.mesh = new three.Mesh(geometry, this.material);
    this.scene.add(this.mesh);
    const target = made.sides[2] / 2;
    const grown = this.size ? Math.hypot(...made.sides) / this.size : 1;
    this.size = Math.hypot(...made.sides);
    this.camera.position.sub(this.controls.target).multiplyScalar(grown);
    this.controls.target.set(0, 0, target);
    this.camera.position.add(this.controls.target);
    this.shown = made;
    this.#lay(made);
    this.draw();
  }

  /** Shows nothing. */
  hide() {
    if (this.mesh) {
      this.scene.remove(this.mesh);
      this.mesh.geometry.dispose();
    }
    this.mesh = this.shown = null;
    this.ground.clear();
    for (const { element } of this.#labels) element.remove();
    this.#labels = [];
    this.draw();
  }

  /** Looks at the object from an azimuth (0 is its front) and an elevation, in degrees. */
  lookFrom(azimuth, elevation) {
    const [a, e] = [azimuth, elevation].map((value) => (value * Math.PI) / 180);
    const away = (this.size || 140) * 2.25;
    this.camera.position.set(-Math.sin(a) * Math.cos(e) * away, Math.cos(a) * Math.cos(e) * away,
      this.controls.target.z + Math.sin(e) * away);
    this.controls.update();
    this.moved = false;
    this.draw();
  }

  /** From where it is looked at, in degrees counter-clockwise from the object's front. */
  get azimuth() {
    const { x, y } = this.camera.position;
    return (Math.atan2(-x, y) * 180) / Math.PI;
  }

  /** How far above the horizon it is looked at from, in degrees. */
  get elevation() {
    const { x, y, z } = this.camera.position.clone().sub(this.controls.target);
    return (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI;
  }

  /** The grid, what the object stands on, where its weight is, and its measures. */
  #lay({ sides, standing }) {
    for (const part of this.ground.children) part.geometry.dispose();
    this.ground.clear();
    for (const { element } of this.#labels) element.remove();
    const reach = Math.ceil((Math.max(sides[0], sides[1]) * 0.75 + 15) / GRID_MM) * GRID_MM;
    const points = [];
    for (let at = -reach; at <= reach; at += GRID_MM) points.push(at, -reach, 0, at, reach, 0, -reach, at, 0, reach, at, 0);
    this.#strokes(points, this.lines, 0.28);
    const [x, y, z] = sides.map((side, k) => (k < 2 ? side / 2 : side));
    const [u, v] = [x + 5, y + 5];
    this.#strokes([-x, v, 0, x, v, 0, u, -y, 0, u, y, 0, u, v, 0, u, v, z], this.lines, 0.9);
    this.#labels = [[0, v, 0], [u, 0, 0], [u, v, z / 2]].map((place, k) => {
      const element = Object.assign(document.createElement("span"), { className: "dimension", ariaHidden: "true" });
      element.textContent = `${figure(sides[k], 1)} ${word("mm")}`;
      this.canvas.parentElement.append(element);
      return { element, place: new three.Vector3(...place) };
    });
    const around = standing.hull.flatMap((point, k) => [...point, 0.3, ...standing.hull[(k + 1) % standing.hull.length], 0.3]);
    const colour = standing.stands ? this.good : this.bad;
    if (around.length) this.#strokes(around, colour, 1);
    const [cx, cy] = standing.centre;
    const dot = Math.max(...sides) / 45;
    this.#strokes([cx - dot, cy, 0.4, cx + dot, cy, 0.4, cx, cy - dot, 0.4, cx, cy + dot, 0.4], colour, 1);
    if (standing.towards) {
      const [dx, dy] = standing.towards.map((value) => value * Math.max(...sides) * 0.6);
      const [ex, ey] = [cx + dx, cy + dy];
      this.#strokes([cx, cy, 0.4, ex, ey, 0.4, ex, ey, 0.4, ex - 0.15 * dx - 0.1 * dy, ey - 0.15 * dy + 0.1 * dx, 0.4,
        ex, ey, 0.4, ex - 0.15 * dx + 0.1 * dy, ey - 0.15 * dy - 0.1 * dx, 0.4], this.bad, 1);
    }
  }

  #strokes(points, color, opacity) {
    const geometry = new three.BufferGeometry();
    geometry.setAttribute("position", new three.BufferAttribute(Float32Array.from(points), 3));
    this.ground.add(new three.LineSegments(geometry, new three.LineBasicMaterial({ color, opacity, transparent: true })));
  }

  /** Draws with the next frame. */
  draw() {
    if (this.planned) return;
    this.planned = requestAnimationFrame(() => {
      this.planned = 0;
      this.renderer.render(this.scene, this.camera);
      this.#placeLabels();
    });
  }

  #placeLabels() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    for (const { element, place } of this.#labels) {
      const at = place.clone().project(this.camera);
      const [x, y] = [((at.x + 1) / 2) * width, ((1 - at.y) / 2) * height];
      element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
    }
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.fov = (2 * Math.atan(Math.tan(Math.PI / 12) / Math.min(1, width / height)) * 180) / Math.PI;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  #key(event) {
    const turn = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 8], ArrowDown: [0, -8] }[event.key];
    const zoom = { "+": 0.9, "=": 0.9, "-": 1.1 }[event.key];
    if (!turn && !zoom) return;
    event.preventDefault();
    const from = this.camera.position.clone().sub(this.controls.target);
    if (zoom) this.camera.position.copy(from.multiplyScalar(zoom).add(this.controls.target));
    else {
      const elevation = (Math.asin(from.z / from.length()) * 180) / Math.PI;
      this.lookFrom(this.azimuth + turn[0], Math.min(Math.max(elevation + turn[1], -10), 85));
      this.moved = true;
    }
    this.controls.update();
    this.draw();
  }

  /** The object alone as it is seen now, in a square. @returns {HTMLCanvasElement} */
  picture(side = GHOST) {
    const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
    this.ground.visible = false;
    this.renderer.render(this.scene, this.camera);
    const { width, height } = this.canvas;
    const from = Math.min(width, height);
    canvas.getContext("2d").drawImage(this.canvas, (width - from) / 2, (height - from) / 2, from, from, 0, 0, side, side);
    this.ground.visible = true;
    this.draw();
    return canvas;
  }
}
