// Adds turns to a dialogue. Without this script, a link opens the page with two more.
"use strict";
{
  const group = document.querySelector("[data-turns]");
  const button = group?.querySelector("[data-add-turn]");
  const empty = group?.querySelector("[data-empty-turn]");
  const last = (list) => list[list.length - 1];

  const add = () => {
    const total = group.querySelector(`[name=${group.dataset.turns}-TOTAL_FORMS]`);
    const before = last(group.querySelectorAll(".talk:not([hidden]) .turn select"))?.value;
    const holder = document.createElement("template");
    holder.innerHTML = empty.innerHTML.replaceAll("__prefix__", total.value);
    const turn = holder.content.querySelector(".turn");
    total.value = Number(total.value) + 1;
    group.querySelector(".talk").append(turn);
    const role = turn.querySelector("select");
    role.value = before === "user" ? "assistant" : "user";
    dress(role);
    for (const field of turn.querySelectorAll("[aria-label]")) {
      field.setAttribute("aria-label", field.getAttribute("aria-label").replace("Added turn", `Turn ${total.value}`));
    }
    turn.querySelector("textarea").focus();
  };

  // A turn looks as whoever says it.
  const dress = (role) => {
    role.closest(".turn").classList.toggle("user", role.value === "user");
    role.closest(".turn").classList.toggle("assistant", role.value !== "user");
  };

  if (button && empty) {
    button.hidden = false;
    button.addEventListener("click", add);
    group.addEventListener("change", (event) => {
      if (event.target.matches(".turn select")) dress(event.target);
      if (event.target.matches(".remove input")) event.target.closest(".turn").classList.toggle("removed", event.target.checked);
    });
  }
}
