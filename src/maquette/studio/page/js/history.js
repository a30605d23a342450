import { word } from "./words.js";

const MOST = 24;

/** The objects made so far, the latest first, to go back to. */
export class History {
  #sheets = [];

  /**
   * @param {HTMLElement} section hidden while there is one object only
   * @param {HTMLUListElement} list
   * @param {(sheet: object) => void} open called with the one that was chosen
   */
  constructor(section, list, open) {
    Object.assign(this, { section, list, open });
  }

  /** Adds a sheet, or shows its new picture. @param {object} sheet @param {HTMLCanvasElement} [picture] */
  put(sheet, picture) {
    let entry = this.#sheets.find((one) => one.sheet === sheet);
    if (!entry) {
      const item = document.createElement("li");
      const button = Object.assign(document.createElement("button"), { type: "button" });
      const image = Object.assign(document.createElement("img"), { alt: "" });
      button.append(image);
      item.append(button);
      button.addEventListener("click", () => this.open(sheet));
      entry = { sheet, item, button, image };
      this.#sheets.push(entry);
      this.list.prepend(item);
      if (this.#sheets.length > MOST) this.#sheets.shift().item.remove();
    }
    if (picture) entry.image.src = picture.toDataURL();
    this.section.hidden = this.#sheets.length < 2;
    this.speak();
  }

  /** Names the objects in the page's language. */
  speak() {
    for (const { sheet, button } of this.#sheets) button.ariaLabel = word("keep", { number: sheet.object });
  }
}
