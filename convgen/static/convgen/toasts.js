// Toasts: what Django has to say, and what an answer says by the event "toast". Good news leaves by itself.
"use strict";
{
  const STAYS = 8000; // milliseconds, for good news; begun anew whenever it is looked at

  const settle = (toast) => {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "toast-close";
    close.setAttribute("aria-label", "Put away");
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    if (!["success", "info"].includes(toast.dataset.level)) return;
    let timer = setTimeout(() => toast.remove(), STAYS);
    const wait = () => clearTimeout(timer);
    const goOn = () => { wait(); timer = setTimeout(() => toast.remove(), STAYS); };
    toast.addEventListener("pointerenter", wait);
    toast.addEventListener("focusin", wait);
    toast.addEventListener("pointerleave", goOn);
    toast.addEventListener("focusout", goOn);
  };

  document.querySelectorAll(".toast").forEach(settle);

  // What is behind an open dialog is not read out, so it is said within.
  document.addEventListener("toast", (event) => {
    const region = document.querySelector("#dialog[open] .toasts") || document.querySelector("main .toasts");
    const said = [...region.children].some((one) => one.firstChild?.nodeValue === event.detail.text);
    if (said) return; // a poll that fails says it each time
    const toast = document.createElement("p");
    toast.className = `toast ${event.detail.level}`;
    toast.dataset.level = event.detail.level;
    toast.textContent = event.detail.text;
    region.append(toast);
    settle(toast);
  });
}
