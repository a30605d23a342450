import { figure, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const DENSITY = 1.24e-3; // of PLA, grams per cubic millimetre

/** How large an object is, in words. */
export function measures(made) {
  const [x, y, z] = made.sides.map((side) => figure(side, 1));
  return word("measures", { x, y, z });
}

/** Writes what is to be said of an object: its size, how sure the page is, whether it stands, what it weighs. */
export function report(of, made) {
  const { verdict } = of.seen;
  const why = verdict.reasons.map((reason) => word(reason)).join(", ") || word("weak");
  const flat = of.way !== "model";
  let key = verdict.sure ? (flat ? "flatSure" : "sure") : flat ? (of.chosen ? "flatSure" : "modelUnsure") : "unsure";
  if (of.sides > 1) key = of.sides === 2 ? "joined" : "joinedMore";
  if (of.given) key = of.way === "scan" ? "scanned" : "solid";
  const sides = made.standing.sides ?? [sideOf(made.standing.towards)];
  const stands = made.standing.stands ? word("stands") : word("falls", { side: sides.map((side) => word(side)).join(" ") });
  const doubt = of.sides > 1 && !verdict.sure ? word("unsure", { why }) : "";
  const weight = `(${word("weight", { grams: figure(made.volumeMm3 * DENSITY) })})`;
  const rest = [doubt, stands, made.dropped ? word("dropped", { count: made.dropped }) : "", weight];
  const main = Object.assign(document.createElement("b"), { textContent: word(key, { why, count: of.sides }) });
  $("measures").textContent = measures(made);
  $("verdict").replaceChildren(main, ` ${rest.filter(Boolean).join(" ")}`);
  $("verdict").className = `verdict ${flat || verdict.sure ? "sure" : "unsure"}`;
  $("verdict").hidden = false;
}

function sideOf(towards) {
  if (!towards) return "front";
  const [x, y] = towards;
  return Math.abs(x) > Math.abs(y) ? (x < 0 ? "right" : "left") : y > 0 ? "front" : "back";
}

/** The ways to choose from, as radio buttons that arrow keys go through. */
export function offer(of, choose) {
  const { ways } = of.seen;
  const focused = $("ways").contains(document.activeElement);
  $("ways").hidden = ways.length < 2;
  $("ways").replaceChildren(...ways.map((way, number) => {
    const button = document.createElement("button");
    const on = way === of.way;
    Object.assign(button, { type: "button", role: "radio", ariaChecked: String(on), tabIndex: on ? 0 : -1 });
    button.dataset.way = way;
    button.append(Object.assign(document.createElement("span"), { textContent: word(way) }),
      Object.assign(document.createElement("small"), { textContent: word(`${way}More`) }));
    button.addEventListener("click", () => choose(way));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      choose(ways[(number + step + ways.length) % ways.length]);
    });
    return button;
  }));
  if (focused) $("ways").querySelector('[aria-checked="true"]')?.focus();
}
