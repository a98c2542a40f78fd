// The preview of a webhook's messages follows the form while one edits it.

// An answer to an older state of the form is dropped.
let latest;

// How long nothing is typed before the server is asked.
const PAUSE_MS = 250;

// No preview needs a secret, so none is sent.
const SECRETS = ["secret", "new_secret", "header_value", "stored_header_value"];

export function followPreview() {
  const look = ({ target }) => {
    const form = target.closest?.("form.webhook");
    if (form && target.name && !SECRETS.includes(target.name)) follow(form, PAUSE_MS);
  };
  document.addEventListener("input", look);
  document.addEventListener("change", look);
  document.addEventListener("click", (event) => {
    if (event.target.id !== "show-preview") return;
    event.preventDefault();
    follow(event.target.form, 0);
  });
  // Enter would send the whole form: here it asks for the preview.
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "preview_event" || event.key !== "Enter") return;
    event.preventDefault();
    follow(event.target.form, 0);
  });
}

function follow(form, delay) {
  latest?.abort();
  latest = new AbortController();
  const { signal } = latest;
  setTimeout(async () => {
    if (signal.aborted || !document.getElementById("preview-shown")) return;
    const fields = new URLSearchParams(new FormData(form));
    for (const name of SECRETS) fields.delete(name);
    try {
      const answer = await fetch("/admin/webhooks/preview", { method: "POST", body: fields, signal });
      if (!answer.ok || answer.redirected) throw new Error("no preview");
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch (error) {
      if (error.name === "AbortError") return;
      document.getElementById("preview-status").textContent = "The preview does not answer. Press Preview to try again.";
    }
  }, delay);
}

function show(page) {
  // A body that one has unfolded stays unfolded.
  const here = document.getElementById("preview-shown");
  const found = page.getElementById("preview-shown");
  const unfolded = foldsOf(here);
  for (const [name, fold] of foldsOf(found)) fold.open = unfolded.get(name)?.open ?? fold.open;
  here.replaceWith(found);
  found.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
  offer(page.getElementById("preview_of"));
  // The region is read aloud when its words change, not at each key.
  const status = document.getElementById("preview-status");
  const told = page.getElementById("preview-status").textContent;
  if (status.textContent !== told) status.textContent = told;
}

const foldsOf = (root) => new Map([...root.querySelectorAll("details")].map((fold) => [fold.firstElementChild.textContent, fold]));

// The list follows the selected types and the environment. It does not change under one's hand.
function offer(found) {
  const here = document.getElementById("preview_of");
  if (here === document.activeElement || here.innerHTML === found.innerHTML) return;
  here.replaceChildren(...found.childNodes);
}
