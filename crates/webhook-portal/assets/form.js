// The form of a webhook: name and URL are checked when one leaves the field, and rows are added.

export function followWebhookForm() {
  document.addEventListener("change", (event) => {
    const { target } = event;
    if (target.id === "url") checkUrl(target);
    if (target.id === "format" && target.form.elements.url.value.trim()) checkUrl(target.form.elements.url);
    if (target.form?.matches(".webhook") && ["name", "environment"].includes(target.name)) checkName(target.form);
  });
  document.addEventListener("click", (event) => {
    if (event.target.matches("[data-add]")) addRow(event.target);
  });
}

// What only works with a script is shown by it.
export function offerRows(root) {
  for (const button of root.querySelectorAll("[data-add]")) button.hidden = false;
}

async function checkUrl(field) {
  const asked = field.value;
  // In the body: logs on the way keep addresses, and the URL may be a password.
  const body = new URLSearchParams({ url: asked, webhook: field.form.dataset.webhook ?? "", csrf: field.form.elements.csrf.value });
  const answer = await fetch("/admin/webhooks/check-url", { method: "POST", body }).catch(() => null);
  // It is checked again when the form is sent.
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("url-error");
  const here = document.getElementById("url-error");
  // It may have been changed while we asked.
  if (!found || !here || field.value !== asked) return;
  complete(field, page.getElementById("url-completed")?.textContent);
  noteFormat(page.getElementById("url-format"));
  here.textContent = found.textContent;
  here.hidden = found.hidden;
  if (found.hidden) field.removeAttribute("aria-invalid");
  else field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", found.hidden ? "url-hint" : "url-hint url-error");
}

// Tells which format the host of the URL takes, where another one is chosen or none.
function noteFormat(proposed) {
  const chosen = document.getElementById("format").value;
  const note = document.getElementById("format-note");
  const isChat = ["slack", "discord", "teams"].includes(chosen);
  if (proposed && chosen === "") note.textContent = `By this URL: ${proposed.textContent}.`;
  else if (proposed && chosen !== proposed.dataset.format) note.textContent = `The host of the URL takes another format: ${proposed.textContent}.`;
  else if (!proposed && isChat) note.textContent = "The host of the URL is none of this service. Other services may take the same messages.";
  else note.textContent = "";
}

// Tells of another webhook with the same name. That is no fault.
async function checkName(form) {
  const { name, environment } = form.elements;
  const asked = { name: name.value.trim(), environment: environment.value, id: form.dataset.webhook ?? "" };
  const answer = await fetch(`/admin/webhooks/check-name?${new URLSearchParams(asked)}`).catch(() => null);
  if (!answer?.ok || name.value.trim() !== asked.name) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("name-note").textContent = page.getElementById("name-note")?.textContent ?? "";
}

// Puts in what was left out, and says so.
function complete(field, completed) {
  const note = document.getElementById("url-note");
  note.textContent = completed ? "https:// was put in." : "";
  if (completed) field.value = completed;
}

function addRow(button) {
  const rows = button.closest("[data-rows]").querySelectorAll(".row");
  const last = [...rows].at(-1);
  const row = last.cloneNode(true);
  row.querySelector(".error")?.remove();
  const number = rows.length + 1;
  for (const part of row.querySelectorAll("label, input")) {
    const attribute = part.matches("label") ? "for" : "id";
    part.setAttribute(attribute, part.getAttribute(attribute).replace(/\d+$/, number));
    if (part.matches("label")) part.textContent = part.textContent.replace(/\d+$/, number);
    else {
      part.value = "";
      part.removeAttribute("aria-invalid");
    }
  }
  last.after(row);
  row.querySelector("input").focus();
}
