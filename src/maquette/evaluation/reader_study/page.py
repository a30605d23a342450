"""The page of a reader study: one image at a time, buttons and keys, and the answers as a file at the end."""

from collections.abc import Sequence

from maquette.io.html import inline, page

ANSWERS_FORMAT = "maquette-study-answers-1"
"""The format that a file of answers names."""

_STYLE = """
body { max-width: 1100px; text-align: center; background: #1c1c1c; color: #ddd }
main > section { display: none } main > section.now { display: block }
img.item { display: none; margin: 0 auto; max-width: 100%; max-height: 72vh; background: #000 }
img.item.now { display: block }
button, a.button, input, textarea { font: inherit; color: #eee; background: #333; border: 1px solid #777 }
button, a.button { padding: 0.5em 1.4em; margin: 0.6em 0.4em; cursor: pointer; border-radius: 3px }
button:disabled { color: #777; cursor: default } a.button { display: inline-block; text-decoration: none }
textarea { width: 100%; height: 9em; font: 12px monospace } progress { width: 60% }
"""
_BODY = """<h1>Real or synthetic?</h1>
<main data-study="{study}" data-format="{format}">
<section id="begin" class="now">
<p>You will see {count} images, one at a time. Some are real, some were made by a computer program. Say of each what
you think it is. There is no time limit, and you can go back one image at a time; it takes about {minutes} minutes.</p>
<p>Keys: <b>R</b> real, <b>S</b> synthetic, <b>B</b> back. Nothing is sent anywhere: at the end you save a file with
your answers and give it to whoever asked you.</p>
<p><label>A short code for you (no name needed): <input id="reader" maxlength="40" autocomplete="off"></label></p>
<p><button id="start">Start</button></p>
</section>
<section id="look">
<p><progress id="bar" max="{count}" value="0"></progress> <span id="progress"></span></p>
{images}
<p><button id="real">Real (R)</button><button id="synthetic">Synthetic (S)</button>
<button id="back">Back (B)</button></p>
</section>
<section id="end">
<p>That was the last image. Thank you. Save your answers and give the file to whoever asked you:</p>
<p><a id="save" class="button" href="#">Save the answers</a></p>
<p>If that does not work, copy this text into a file:</p>
<textarea id="text" readonly></textarea>
</section>
</main>
<noscript><p>This page needs JavaScript; it loads nothing and sends nothing.</p></noscript>"""
_SCRIPT = """"use strict";
const find = (id) => document.getElementById(id);
const main = document.querySelector("main");
const items = Array.from(document.querySelectorAll("img.item"));
for (let k = items.length - 1; k > 0; k--) {
  const j = Math.floor(Math.random() * (k + 1));
  [items[k], items[j]] = [items[j], items[k]];
}
const answers = new Map();
let at = -1, since = 0, done = false;

function turnTo(section) {
  for (const other of document.querySelectorAll("main > section")) other.classList.toggle("now", other.id === section);
}

function show(next) {
  if (at >= 0) items[at].classList.remove("now");
  at = next;
  items[at].classList.add("now");
  find("progress").textContent = (at + 1) + " of " + items.length;
  find("bar").value = at;
  find("back").disabled = at === 0;
  since = performance.now();
}

function answer(kind) {
  if (at < 0 || done) return;
  const name = items[at].id, before = answers.get(name);
  const ms = Math.round(performance.now() - since) + (before ? before.ms : 0);
  answers.set(name, { id: name, answer: kind, ms: ms });
  if (at + 1 < items.length) show(at + 1); else finish();
}

function finish() {
  done = true;
  const reader = find("reader").value.trim() || "reader";
  const whole = { format: main.dataset.format, study: main.dataset.study, reader: reader,
                  answers: items.map((item) => answers.get(item.id)) };
  const text = JSON.stringify(whole, null, 1);
  find("text").value = text;
  find("save").href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  find("save").download = "answers-" + reader.replace(/[^A-Za-z0-9_-]+/g, "-") + ".json";
  turnTo("end");
}

find("start").addEventListener("click", () => { turnTo("look"); show(0); });
find("real").addEventListener("click", () => answer("real"));
find("synthetic").addEventListener("click", () => answer("synthetic"));
find("back").addEventListener("click", () => { if (at > 0) show(at - 1); });
document.addEventListener("keydown", (event) => {
  if (at < 0 || done || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "r") answer("real");
  else if (key === "s") answer("synthetic");
  else if (key === "b" && at > 0) show(at - 1);
});
window.addEventListener("beforeunload", (event) => { if (at >= 0 && !done) event.preventDefault(); });
"""


def study_page(study: str, images: Sequence[tuple[str, bytes]], width: int, height: int) -> str:
    """The page of a study as HTML, which needs no network.

    Args:
        study: The study's name.
        images: The name and the PNG of each image. The page shows them in another random order each time.
        width: Pixels of every image; they are shown at twice that at most.
        height: Pixels of every image.
    """
    items = "\n".join(f'<img class="item" id="{name}" alt="" src="{inline(data, "png")}">' for name, data in images)
    body = _BODY.format(study=study, format=ANSWERS_FORMAT, count=len(images), images=items,
                        minutes=max(2, round(len(images) * 8 / 60)))
    size = f"img.item {{ width: min(100%, {2 * width}px, calc(72vh * {width / height:.4f})); height: auto }}\n"
    return page("Real or synthetic?", body, style=_STYLE + size, script=_SCRIPT)
