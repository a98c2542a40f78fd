// The schedule of a retry policy is drawn again as one writes it.

// How long one may pause between two keys.
const PAUSE_MS = 150;

const latest = new WeakMap();

export function followPolicies() {
  document.addEventListener("input", (event) => {
    const policy = event.target.closest?.("[data-policy]");
    if (policy) follow(policy);
  });
}

function follow(policy) {
  latest.get(policy)?.abort();
  const now = new AbortController();
  latest.set(policy, now);
  setTimeout(() => now.signal.aborted || draw(policy, now.signal), PAUSE_MS);
}

async function draw(policy, signal) {
  const fields = [...policy.querySelectorAll("[data-name]")];
  const asked = new URLSearchParams(fields.map((field) => [field.dataset.name, field.value]));
  try {
    const answer = await fetch(`/admin/schedule?${asked}`, { signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("schedule");
    if (!found) return;
    mark(fields, found);
    show(document.getElementById(policy.dataset.policy), found);
  } catch {
    // What is drawn stays: the server has the last word when the form is sent.
  }
}

// A wrong field is marked, and says why.
function mark(fields, found) {
  for (const field of fields) {
    const fault = found.querySelector(`[data-field="${field.dataset.name}"]`);
    const error = document.getElementById(`${field.id}-error`);
    error.textContent = fault?.dataset.reason ?? "";
    error.hidden = !fault;
    if (fault) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    field.setAttribute("aria-describedby", `${field.id}-hint${fault ? ` ${field.id}-error` : ""}`);
  }
}

// The line of words stays where it is, so that what changes of it is read out; a list that was opened
// stays open.
function show(here, found) {
  const total = here.querySelector(".schedule-total");
  const list = here.querySelector(".schedule-list");
  const drawnList = found.querySelector(".schedule-list");
  if (drawnList && list) drawnList.open = list.open;
  total.textContent = found.querySelector(".schedule-total").textContent;
  while (total.nextSibling) total.nextSibling.remove();
  found.querySelector(".schedule-total").remove();
  total.after(...found.childNodes);
}
