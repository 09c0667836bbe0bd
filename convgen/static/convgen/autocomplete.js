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

// It comes when it pleases: some time after the page is read, and again with each row that is added.
new MutationObserver(nameAll).observe(document.documentElement, { childList: true, subtree: true });
document.addEventListener("focusin", ({ target }) => {
  if (target.matches(".select2-search__field")) target.setAttribute("aria-label", "Search");
});
