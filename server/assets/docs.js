// Shows the contract that is served beside this page. Keys that are typed in are
// kept by the page alone, and gone when it is closed.
SwaggerUIBundle({
  url: "openapi.yaml",
  dom_id: "#docs",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  validatorUrl: null, // the validator is on another host
});
