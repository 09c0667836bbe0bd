// Dialogs: a link with data-dialog opens its page in the one <dialog>, by htmx. Without this script it is a link.
"use strict";
{
  const dialog = document.getElementById("dialog");
  const body = document.getElementById("dialog-body");
  let opener = null;
  let stale = false;

  const open = (url) => {
    if (!dialog.open) {
      opener = document.activeElement;
      stale = false;
      body.innerHTML = '<p class="loading" role="status">Loading…</p>';
      dialog.showModal();
    }
    htmx.ajax("GET", url, { target: body, swap: "innerHTML" });
  };

  document.addEventListener("click", (event) => {
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    const link = plain && event.target.closest("a[data-dialog]");
    if (link) {
      event.preventDefault();
      link.closest("details.menu")?.removeAttribute("open");
      open(link.href);
    } else if (event.target.closest("#dialog [data-close]")) {
      event.preventDefault();
      event.stopPropagation(); // htmx would follow the link
      if (event.target.closest("[data-close=sure]") || !asks()) dialog.close();
    } else if (event.target.closest("#dialog [data-stay]")) {
      event.target.closest("[data-closing]").hidden = true;
      body.querySelector("#dialog-title")?.focus();
    }
  }, true);

  // A dialog may say something before it is closed: once, by what it holds in [data-closing].
  const asks = () => {
    const words = body.querySelector("[data-closing][hidden]");
    if (!words) return false;
    words.hidden = false;
    words.querySelector("[data-close]").focus();
    return true;
  };
  dialog.addEventListener("cancel", (event) => {
    if (event.target === dialog && asks()) event.preventDefault();
  });

  // Emptied, its polling ends. What it changed is shown by the page behind once that is loaded anew.
  dialog.addEventListener("close", () => {
    body.replaceChildren();
    if (stale) location.reload();
    else if (opener) (opener.isConnected ? opener : document.getElementById(opener.id))?.focus();
  });

  document.addEventListener("page-is-stale", () => { stale = dialog.open; });

  // A style sheet that came along stays, so that the next step does not begin without it.
  const keep = (link) => {
    if (document.querySelector(`head link[href="${CSS.escape(link.getAttribute("href"))}"]`)) link.remove();
    else document.head.append(link);
  };

  // Another step: its heading is read out and reading goes on from there, unless a field wants to be filled in.
  body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== body) return;
    body.querySelectorAll("link[rel=stylesheet]").forEach(keep);
    body.scrollTop = 0;
    const first = body.querySelector("[autofocus], .errorlist + :is(input, select, textarea), [aria-invalid=true]");
    const heading = body.querySelector("#dialog-title");
    heading?.setAttribute("tabindex", "-1");
    (first || heading)?.focus();
  });

  // The address stays that of the page behind. (hx-push-url="false" does not keep htmx from pushing what is boosted.)
  document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
    if (dialog.open) Object.assign(event.detail.history, { type: "replace", path: location.href });
  });

  // The session has ended: the login is a page, and no content of a dialog.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const path = new URL(event.detail.xhr.responseURL || location.href, location.href).pathname;
    if (path.endsWith("/login/") && !location.pathname.endsWith("/login/")) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });

  // What comes when the dialog is closed already is not put into it: it would go on polling, unseen.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (dialog.contains(event.detail.target) && !dialog.open) event.detail.shouldSwap = false;
  });

  const polls = (element) => (element.getAttribute("hx-trigger") || "").includes("every");

  // A page that says why something cannot be shown is for the dialog, and not for a part of a page: that stays as it is,
  // or goes away if it would ask again and again.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr, requestConfig } = event.detail;
    if (target === body || ![403, 404].includes(xhr.status)) return;
    if (polls(requestConfig.elt)) event.detail.serverResponse = "";
    else event.detail.shouldSwap = false;
    failed(GONE);
  });

  // Nobody looks at a hidden tab: it does not poll.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (polls(event.detail.elt) && document.hidden) event.preventDefault();
  });

  const GONE = "What was shown here is not there any more, or you may not see it any more.";
  const failed = (text) => document.dispatchEvent(new CustomEvent("toast", { detail: { text, level: "error" } }));
  document.addEventListener("htmx:sendError", () => failed("The server cannot be reached. Is the connection up? Try again."));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    failed(`That did not work (${status}). Try again, or tell whoever keeps convgen up.`);
  });
}
