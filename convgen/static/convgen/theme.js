// Light or dark as the person has chosen it on the pages (admin/js/theme.js keeps that), else as the system says.
// Told to style sheets by the class that Swagger UI knows, and by data-theme as everywhere.
"use strict";
{
  const system = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    const chosen = localStorage.getItem("theme");
    const dark = chosen === "dark" || (chosen !== "light" && system.matches);
    const root = document.documentElement;
    const before = root.dataset.theme;
    root.dataset.theme = dark ? "dark" : "light";
    root.classList.toggle("dark-mode", dark);
    if (before && before !== root.dataset.theme) root.dispatchEvent(new Event("theme"));
  };
  system.addEventListener("change", follow);
  addEventListener("storage", follow); // chosen in another window
  follow();
}
