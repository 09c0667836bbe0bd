// Names what select2 puts in place of a select: it leaves out the select's label.

function nameAll() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const name = select.getAttribute("aria-label") ?? select.labels[0]?.textContent.replace(":", "").trim() ?? "Choose";
    const shown = select.nextElementSibling;
    for (const part of shown?.querySelectorAll("[role=combobox], [role=textbox]") ?? []) {
      part.setAttribute("aria-label", name);
    }
  }
}

addEventListener("load", nameAll);
document.addEventListener("formset:added", () => setTimeout(nameAll));
document.addEventListener("focusin", ({ target }) => {
  if (target.matches(".select2-search__field")) target.setAttribute("aria-label", "Search");
});
