/** Light or dark: as the system says, until the user chooses. */
const KEPT = "maquette-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** Applies the theme now and whenever it changes. @param {HTMLButtonElement} button @param {() => void} changed */
export function theme(button, changed) {
  const apply = (name) => {
    document.documentElement.dataset.theme = name;
    changed();
  };
  const asSystem = () => apply(chosen() ?? (system.matches ? "dark" : "light"));
  system.addEventListener("change", asSystem);
  button.addEventListener("click", () => {
    const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEPT, name);
    } catch {
      // it is chosen again next time
    }
    apply(name);
  });
  asSystem();
}
