// Keys for those who do not want to reach for the mouse. A person can switch them off (WCAG 2.1.4).

// Whether the person wants them, in every page of this browser.
const CHOICE = "keys";

const KEYS = [
  ["/", "Search", search],
  ["c", "Create a webhook", create],
  ["j", "Next row", () => move(1)],
  ["k", "Previous row", () => move(-1)],
  ["?", "Show these keys", show],
];

export function followKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") putAway();
    if (!isWanted() || !isPlain(event)) return;
    const found = KEYS.find(([key]) => key === event.key);
    if (found?.[2]()) event.preventDefault();
  });
  const button = document.getElementById("keys");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", show);
}

function isWanted() {
  return localStorage.getItem(CHOICE) !== "off";
}

// Not while somebody types, chooses, or presses a key of the browser.
function isPlain(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return false;
  if (document.querySelector("dialog[open]")) return false;
  const field = event.target.closest?.("input, textarea, select, [contenteditable]");
  return !field || ["checkbox", "radio"].includes(field.type);
}

function search() {
  const field = document.querySelector("main input[type=search]");
  if (!field) return false;
  field.focus();
  field.select();
  return true;
}

function create() {
  const { create: page } = document.body.dataset;
  if (!page) return false;
  location.assign(page);
  return true;
}

// The main link of a row gets the focus: Enter opens it.
function move(by) {
  const links = [...document.querySelectorAll("main table.list tbody th a:first-of-type, main .changes a.main")];
  if (links.length === 0) return false;
  const here = document.activeElement.closest?.("tr, li");
  const place = links.findIndex((link) => here?.contains(link));
  const next = place === -1 ? (by > 0 ? 0 : links.length - 1) : place + by;
  links[Math.max(0, Math.min(links.length - 1, next))].focus();
  return true;
}

// Takes away what hovers over the page, until the pointer or the focus comes again.
function putAway() {
  for (const tip of document.querySelectorAll(".tip:is(:hover, :focus-within)")) {
    tip.dataset.putAway = "";
    const back = () => delete tip.dataset.putAway;
    for (const leaves of ["mouseleave", "focusout"]) tip.addEventListener(leaves, back, { once: true });
  }
}

function show() {
  const dialog = document.getElementById("keys-dialog") ?? build();
  dialog.showModal();
  return true;
}

function build() {
  const dialog = element("dialog", { id: "keys-dialog", className: "keys" });
  const title = element("h2", { id: "keys-title", textContent: "Keyboard shortcuts" });
  dialog.setAttribute("aria-labelledby", title.id);
  const list = element("dl", { className: "facts" });
  for (const [key, meaning] of [...KEYS, ["Enter", "Open the row"], ["Esc", "Close"]]) {
    const row = element("div");
    const name = element("dt");
    name.append(element("kbd", { textContent: key }));
    row.append(name, element("dd", { textContent: meaning }));
    list.append(row);
  }
  const close = element("button", { textContent: "Close", autofocus: true });
  const form = element("form", { method: "dialog" });
  form.append(offSwitch(), close);
  dialog.append(title, list, form);
  document.body.append(dialog);
  return dialog;
}

function offSwitch() {
  const label = element("label", { className: "all" });
  const box = element("input", { type: "checkbox", checked: isWanted() });
  box.addEventListener("change", () => localStorage.setItem(CHOICE, box.checked ? "on" : "off"));
  label.append(box, " Single keys are on in this browser");
  return label;
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}
