// What every page does with a keyboard: menus close with Escape, and single keys lead on (they can be turned off).
"use strict";
{
  const OFF = "convgen-keys-off";
  const typing = (element) => element.closest("input, select, textarea, [contenteditable], dialog[open]");

  document.addEventListener("keydown", (event) => {
    const menu = document.activeElement?.closest("details.menu[open]");
    if (event.key === "Escape" && menu) {
      event.preventDefault(); // a dialog around it stays open
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  });

  // One menu at a time, and none when something else is clicked.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });

  let afterG = 0;
  const keys = {
    "?": () => document.querySelector('#user-tools a[data-dialog][href*="keyboard"]')?.click(),
    "/": () => document.getElementById("searchbar")?.focus(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || localStorage.getItem(OFF)) return;
    if (event.timeStamp < afterG) {
      afterG = 0;
      document.querySelector(`#navigation a[data-key="${CSS.escape(event.key)}"]`)?.click();
    } else if (event.key === "g") {
      afterG = event.timeStamp + 1500;
    } else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  // The switch on the page of keyboard help.
  document.addEventListener("change", (event) => {
    if (event.target.id === "single-keys") {
      if (event.target.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
    }
  });
  const showSwitch = () => {
    const box = document.getElementById("single-keys");
    if (box) box.checked = !localStorage.getItem(OFF);
  };
  document.addEventListener("htmx:afterSwap", showSwitch);
  showSwitch();

  // A form is sent once, however often its button is pressed: for so long that the answer has come. (What htmx sends,
  // it has taken over before.)
  const ANSWERED = 10_000; // milliseconds
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (event.timeStamp - Number(form.dataset.sent ?? -Infinity) < ANSWERED) event.preventDefault();
    else form.dataset.sent = event.timeStamp;
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // A slider's number is said beside it.
  document.addEventListener("input", (event) => {
    if (event.target.type !== "range") return;
    document.querySelectorAll(`output[for="${CSS.escape(event.target.id)}"]`).forEach((place) => {
      place.value = event.target.value;
    });
  });
}
