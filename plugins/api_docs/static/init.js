// Every address is relative, so that the page works under any path prefix.
"use strict";

window.addEventListener("load", () => {
  const { apis } = window.SwaggerUIBundle.presets;
  window.SwaggerUIBundle({
    url: "spec.json",
    dom_id: "#operations",
    presets: [apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    // Left alone, Swagger UI shows the address of the document to a validator on the internet.
    validatorUrl: null,
    oauth2RedirectUrl: null,
  });
});
