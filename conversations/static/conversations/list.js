// The list of conversations: what is chosen, and what a score is made of. Without this script its form works as well.
"use strict";
{
  const form = document.getElementById("changelist-form");
  const bar = document.getElementById("bar");

  if (form && bar) {
    const boxes = [...form.querySelectorAll(".action-select")];
    const toggle = document.getElementById("action-toggle");
    const acts = bar.querySelector(".bar-acts");
    const count = bar.querySelector(".bar-count");
    const all = bar.querySelector(".bar-all");
    const across = all?.querySelector("input");
    const unchosen = count.textContent;
    let last = null;

    const show = () => {
      const number = boxes.filter((box) => box.checked).length;
      if (toggle) {
        toggle.checked = number > 0 && number === boxes.length;
        toggle.indeterminate = number > 0 && number < boxes.length;
      }
      if (all) {
        all.hidden = number < boxes.length;
        if (all.hidden) across.checked = false;
      }
      const text = across?.checked ? `${all.textContent.trim().replace("Select all", "All")} chosen` : number ? `${number} chosen` : unchosen;
      if (count.textContent !== text) count.textContent = text;
      bar.classList.toggle("chosen", number > 0);
      if (acts) acts.hidden = !number;
    };

    if (toggle) {
      toggle.hidden = false;
      toggle.addEventListener("change", () => {
        boxes.forEach((box) => { box.checked = toggle.checked; });
        show();
      });
    }
    across?.addEventListener("change", show);
    boxes.forEach((box, place) => box.addEventListener("click", (event) => {
      if (event.shiftKey && last !== null) {
        const [from, to] = [Math.min(last, place), Math.max(last, place)];
        boxes.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
      }
      last = place;
      show();
    }));
    window.addEventListener("pageshow", show); // the browser's way back keeps the ticks
    show();
  }

  // What a score is made of: beside it, when it is pointed at or comes into focus; Escape puts it away.
  const note = document.getElementById("breakdown");
  const kept = new Map();
  let shown = null;
  let timer = 0;

  const place = (link) => {
    const at = link.getBoundingClientRect();
    const below = at.bottom + 6 + note.offsetHeight < innerHeight;
    note.style.top = `${below ? at.bottom + 6 : Math.max(6, at.top - 6 - note.offsetHeight)}px`;
    note.style.left = `${Math.max(6, Math.min(at.left, innerWidth - note.offsetWidth - 6))}px`;
  };

  const open = async (link) => {
    shown = link;
    const url = link.dataset.breakdown;
    if (!kept.has(url)) {
      const answer = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } }).catch(() => null);
      if (!answer?.ok || answer.redirected) return;
      kept.set(url, await answer.text());
    }
    if (shown !== link) return; // it was left meanwhile
    note.innerHTML = kept.get(url);
    note.showPopover();
    link.setAttribute("aria-describedby", note.id);
    place(link);
  };

  const close = () => {
    clearTimeout(timer);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    if (note?.matches(":popover-open")) note.hidePopover();
  };

  if (note?.showPopover) {
    const score = (event) => event.target.closest?.("[data-breakdown]");
    const soon = (link, wait) => {
      clearTimeout(timer);
      timer = setTimeout(() => open(link), wait);
    };
    const later = (event) => {
      const to = event.relatedTarget;
      if (to && (note.contains(to) || shown?.contains(to))) return;
      clearTimeout(timer);
      timer = setTimeout(close, 150);
    };
    document.addEventListener("pointerover", (event) => {
      if (note.contains(event.target)) clearTimeout(timer);
      else if (score(event) && score(event) !== shown) soon(score(event), 150);
      else if (score(event)) clearTimeout(timer);
    });
    document.addEventListener("pointerout", (event) => { if (score(event) || note.contains(event.target)) later(event); });
    document.addEventListener("focusin", (event) => { if (score(event)?.matches(":focus-visible")) soon(score(event), 0); });
    document.addEventListener("focusout", (event) => { if (score(event)) close(); });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    document.addEventListener("scroll", close, { passive: true });
  }
}
