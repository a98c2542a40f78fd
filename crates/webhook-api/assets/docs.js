// The reference of the API, drawn from the OpenAPI document.

const dark = matchMedia("(prefers-color-scheme: dark)");
const setTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", setTheme);
setTheme();

// A webhook before its parts, and these before changes of many webhooks; to read before to change.
const METHODS = ["get", "post", "put", "patch", "delete"];
const place = (operation) => {
  const path = operation.get("path").replaceAll("{", " ");
  return `${path} ${METHODS.indexOf(operation.get("method"))}`;
};
const inOrderOfUse = (one, other) => (place(one) < place(other) ? -1 : 1);

// A path is part of the button that opens the operation: no link inside a button.
const plainPaths = () => ({ components: { DeepLink: ({ text }) => text } });

const reference = document.querySelector("#reference");

// Code that scrolls can be scrolled by keys. Code comes and goes as operations open and close.
const makeCodeFocusable = () => {
  for (const code of reference.querySelectorAll("pre:not([tabindex])")) code.tabIndex = 0;
};

// The library calls the section of the document like the tag of the operations.
const RECEIVED = "Requests that your endpoint receives";
const nameWebhooks = () => {
  const heading = reference.querySelector(".webhooks h2");
  if (heading && heading.textContent !== RECEIVED) heading.textContent = RECEIVED;
};

const mend = () => [makeCodeFocusable, nameWebhooks].forEach((step) => step());
new MutationObserver(mend).observe(reference, { childList: true, subtree: true });

SwaggerUIBundle({
  url: "/api/openapi.json",
  domNode: reference,
  deepLinking: true,
  // No box to load another document: BaseLayout has none.
  layout: "BaseLayout",
  plugins: [plainPaths],
  operationsSorter: inOrderOfUse,
  // Each operation shows its schemas; a list of all is for programs, which read the document.
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 2,
  displayRequestDuration: true,
  // Numbers of the default theme have too little contrast.
  syntaxHighlight: { theme: "tomorrow-night" },
  validatorUrl: null,
});
