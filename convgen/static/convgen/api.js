// Sends the body of a form as JSON, and shows the page that comes back in place of this one.
"use strict";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".api-send")) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const response = await send(form);
    show(await response.text(), form, response.ok);
  } catch (error) {
    refuse(`The site did not answer: ${error.message}`);
  } finally {
    button.disabled = false;
  }
});

function send(form) {
  const body = form.elements.body?.value;
  const headers = { Accept: "text/html", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(form.action, { method: form.dataset.method, headers, body });
}

function show(html, form, done) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const content = page.querySelector("#content-main");
  if (!content) return refuse("The site answered with something that is no page of the API.");
  if (!done && form.elements.body) keep(content, form);
  document.querySelector("#content-main").replaceWith(content);
  document.title = page.title;
  content.querySelector(".api-answer").focus();
  window.scrollTo(0, 0);
}

// What was refused can be mended: it stays in the form.
function keep(content, form) {
  const body = content.querySelector(`.api-send[data-method="${form.dataset.method}"] textarea`);
  if (body) body.value = form.elements.body.value;
}

function refuse(words) {
  const place = document.querySelector(".api-refused");
  place.textContent = words;
  place.hidden = false;
}
