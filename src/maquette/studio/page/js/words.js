import de from "./words/de.js";
import en from "./words/en.js";

/** The page's languages: one file each, with the same keys. */
const LANGUAGES = { en, de };
const KEPT = "maquette-language";
let language = kept() ?? navigator.languages?.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES) ?? "en";

function kept() {
  try {
    const found = localStorage.getItem(KEPT);
    return found in LANGUAGES ? found : null;
  } catch {
    return null; // a browser that keeps nothing
  }
}

/** A text in the chosen language, with `{name}` replaced. */
export function word(key, values = {}) {
  const text = LANGUAGES[language][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A number as the language writes it. */
export const figure = (value, digits = 0) => value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** The chosen language. */
export const spoken = () => language;

/** Chooses a language and writes the whole page in it. */
export function speak(chosen = language) {
  language = chosen in LANGUAGES ? chosen : "en";
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // it is chosen again next time
  }
  document.documentElement.lang = language;
  document.title = word("title");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", word(element.dataset.label));
    if (element.matches("button, label")) element.title = word(element.dataset.label);
  }
}
