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

const options = {
  downloadDefinitionUrl: place.dataset.schema,
  hideHostname: true,
  nativeScrollbars: true,
  pathInMiddlePanel: true,
  sortRequiredPropsFirst: true,
  scrollYOffset: "header.reference",
  theme: {
    colors: { primary: { main: "#205067" } },
    typography: { fontFamily: font, headings: { fontFamily: font } },
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
