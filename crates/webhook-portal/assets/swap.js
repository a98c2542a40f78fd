// A form's answer takes the place of the page's content, so that one stays where one was. The server
// answers as it would without a script: with a whole page.

// What is typed last counts: an answer to an older search is dropped.
let latest;

// Forms and buttons marked `data-swap` are sent without leaving the page.
export function followForms() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const swaps = form.matches("form[data-swap]") || event.submitter?.hasAttribute("data-swap");
    if (!swaps || event.defaultPrevented) return;
    // Where a button leads to a page of its own.
    if (event.submitter?.hasAttribute("data-leave")) return;
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    form.ariaBusy = "true";
    try {
      const answer = await fetch(addressOf(form), { method: "POST", body: fields });
      await show(answer, "content");
    } catch {
      form.removeAttribute("data-swap");
      event.submitter?.removeAttribute("data-swap");
      form.requestSubmit(event.submitter);
    }
  });
}

// Filters marked `data-live="<id>"` show what fits as one types, and say so in the address.
export function followFilters() {
  const look = (event) => {
    const form = event.target.closest?.("form[data-live]");
    // A list tells of a choice once it is made, a field of every key.
    const chosen = event.target.matches("select");
    if (form && chosen === (event.type === "change")) follow(form, event.target.type === "search" ? 200 : 0);
  };
  document.addEventListener("input", look);
  document.addEventListener("change", look);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-live]")) return;
    event.preventDefault();
    follow(event.target, 0);
  });
}

function follow(form, delay) {
  latest?.abort();
  latest = new AbortController();
  const { signal } = latest;
  setTimeout(async () => {
    if (signal.aborted) return;
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    const address = addressOf(form);
    address.search = new URLSearchParams(fields);
    try {
      const answer = await fetch(address, { signal });
      history.replaceState(null, "", address);
      await show(answer, form.dataset.live);
    } catch (error) {
      if (error.name !== "AbortError") location.assign(address);
    }
  }, delay);
}

// Where a form leads. `form.action` is something else if a field is called so.
function addressOf(form) {
  return new URL(form.getAttribute("action"), location);
}

// Puts a part of the page that was answered in the place of ours, and tells what it tells.
async function show(answer, id) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.redirected && !page.querySelector("header.bar")) return location.assign(answer.url);
  if (answer.redirected) history.replaceState(null, "", answer.url);
  document.title = page.title;
  const here = document.getElementById(id);
  const found = page.getElementById(id);
  if (found) {
    replace(here, found);
  } else {
    // A refusal is told where the answer would have been.
    here.replaceChildren(...page.getElementById("content").childNodes);
  }
  const told = page.getElementById("notice")?.childNodes ?? [];
  document.getElementById("notice").replaceChildren(...told);
}

// Replaces an element. What wants the focus gets it; if what had it is gone, its successor has it.
export function replace(here, found) {
  const focused = document.activeElement?.id;
  const { scrollX, scrollY } = window;
  here.replaceWith(found);
  const wants = found.querySelector("[autofocus]");
  if (wants) {
    wants.focus();
  } else {
    const again = (focused && document.getElementById(focused)) || document.getElementById("content");
    if (document.activeElement === document.body) again.focus({ preventScroll: true });
    scrollTo(scrollX, scrollY);
  }
  found.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
}
