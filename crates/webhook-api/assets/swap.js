// A form's answer takes the place of the page's content, so that one stays where one was. The server
// answers as it would without a script: with a whole page.

// What is typed last counts: an answer to an older search is dropped.
let latest;

// Forms marked `data-swap` are sent without leaving the page.
export function followForms() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-swap]") || event.defaultPrevented) return;
    // Where a button leads to a page of its own.
    if (event.submitter?.hasAttribute("data-leave")) return;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: fields });
      await show(answer, "content");
    } catch {
      form.removeAttribute("data-swap");
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
    const address = new URL(form.action);
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

// Puts a part of the page that was answered in the place of ours.
export async function show(answer, id) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById(id);
  const here = document.getElementById(id);
  // Another page, such as that for signing in.
  if (!found || !here || !page.querySelector("header.bar")) return location.assign(answer.url);
  if (answer.redirected) history.replaceState(null, "", answer.url);
  replace(here, found);
}

// Replaces an element; what had the focus has it again, or else the notice is read out.
export function replace(here, found) {
  const focused = document.activeElement?.id;
  const { scrollX, scrollY } = window;
  here.replaceWith(found);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  scrollTo(scrollX, scrollY);
  found.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
}
