// Fields that suggest what fits: the page itself says it for what is typed.

let latest;

// Follows fields marked `data-suggest="<name in the address>"`, which have a list.
export function followSuggestions() {
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("input[data-suggest]")) return;
    latest?.abort();
    latest = new AbortController();
    const { signal } = latest;
    setTimeout(() => suggest(field, signal), 200);
  });
}

async function suggest(field, signal) {
  if (signal.aborted) return;
  const address = new URL(field.form.action);
  address.searchParams.set(field.dataset.suggest, field.value);
  try {
    const answer = await fetch(address, { signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById(field.getAttribute("list"));
    if (found) field.list?.replaceChildren(...found.children);
  } catch {
    // What was suggested before stays.
  }
}
