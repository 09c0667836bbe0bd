// Swagger UI, with requests that a session may send, and nothing asked of its maker's validator.
"use strict";

const place = document.querySelector("#swagger");

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (request.loadSpec) request.headers.Accept = "application/vnd.oai.openapi+json"; // read faster than YAML
    if ((request.method ?? "GET") !== "GET") request.headers[place.dataset.csrfHeader] = place.dataset.csrf;
    return request;
  },
});
