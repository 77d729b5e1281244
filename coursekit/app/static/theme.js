// Light or dark, before anything is painted: as chosen here, else as the system has it.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  // Widgets ask for this attribute, on the page or on its body.
  const tell = () => {
    root.dataset.jpThemeLight = String(!isDark());
    if (document.body) document.body.dataset.jpThemeLight = root.dataset.jpThemeLight;
  };
  if (kept()) root.dataset.theme = kept();
  tell();
  system.addEventListener("change", tell);
  addEventListener("DOMContentLoaded", () => {
    tell();
    const button = document.querySelector(".theme-switch");
    const say = () => button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
    button.hidden = false;
    say();
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // a browser that keeps nothing: the choice lasts as long as the page
      }
      tell();
      say();
    });
  });
})();
