// ReDoc in the site's colours.
"use strict";

// ReDoc asks its maker's host for a picture. Pictures of other hosts are left out before they are asked for; React names
// them by the attribute and by the property.
const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
const foreign = (address) => new URL(address, location).protocol !== "data:" && new URL(address, location).host !== location.host;

HTMLImageElement.prototype.setAttribute = function (name, value) {
  if (name !== "src" || !foreign(value)) Element.prototype.setAttribute.call(this, name, value);
};
Object.defineProperty(HTMLImageElement.prototype, "src", {
  ...source,
  set(address) {
    if (!foreign(address)) source.set.call(this, address);
  },
});

const font = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const place = document.querySelector("#redoc");

// Its colours are made when it begins, of colours that it can count with: where light and dark change, it begins anew.
const dark = document.documentElement.dataset.theme === "dark";
document.documentElement.addEventListener("theme", () => location.reload());

// As in look.css.
const inDark = {
  primary: { main: "#6cc9bb", light: "#8fdacf", contrastText: "#06201c" },
  text: { primary: "#e8eeec", secondary: "#9fb0aa" },
  border: { dark: "#2b3733", light: "#2b3733" },
  success: { main: "#7fce95" },
  warning: { main: "#e8bb6a" },
  error: { main: "#f3958d" },
  gray: { 50: "#101615", 100: "#232d2a" },
  responses: {
    success: { color: "#7fce95", backgroundColor: "#16301e", tabTextColor: "#7fce95" },
    error: { color: "#f3958d", backgroundColor: "#3b1a18", tabTextColor: "#f3958d" },
    redirect: { color: "#e8bb6a", backgroundColor: "#33270f", tabTextColor: "#e8bb6a" },
    info: { color: "#8fbcf2", backgroundColor: "#16273d", tabTextColor: "#8fbcf2" },
  },
};

const options = {
  downloadDefinitionUrl: place.dataset.schema,
  hideHostname: true,
  nativeScrollbars: true,
  pathInMiddlePanel: true,
  sortRequiredPropsFirst: true,
  scrollYOffset: "header.reference",
  theme: {
    colors: dark ? inDark : { primary: { main: "#1a6b62" }, text: { primary: "#1a2421", secondary: "#566561" } },
    schema: dark ? { nestedBackground: "#101615", linesColor: "#71827b", typeNameColor: "#9fb0aa", typeTitleColor: "#c6d1cd", requireLabelColor: "#f3958d" } : {},
    sidebar: dark ? { backgroundColor: "#101615", textColor: "#e8eeec", activeTextColor: "#6cc9bb" } : { backgroundColor: "#f5f7f6", textColor: "#1a2421" },
    rightPanel: { backgroundColor: dark ? "#0b1311" : "#12302c" },
    typography: {
      fontFamily: font,
      headings: { fontFamily: font },
      ...(dark && { code: { color: "#f3958d", backgroundColor: "#232d2a" }, links: { color: "#6cc9bb", visited: "#6cc9bb", hover: "#8fdacf" } }),
    },
  },
};

// As JSON, which is read in a fraction of the time.
async function show() {
  const response = await fetch(place.dataset.schema, { headers: { Accept: "application/vnd.oai.openapi+json" } });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  Redoc.init(await response.json(), options, place);
}

show().catch((error) => {
  place.textContent = `The schema cannot be read (${error.message}). Load the page again in a minute.`;
});
