// What takes long is loaded into its place once the page is there. Without a script the place holds
// a link to it.

// Places are marked `data-load="<address>"`; the page there has an element of the same id.
export function loadPlaces(root) {
  for (const place of root.querySelectorAll("[data-load]")) load(place);
}

async function load(place) {
  const { load: address } = place.dataset;
  place.removeAttribute("data-load");
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById(place.id);
    if (!found) return;
    const focused = place.contains(document.activeElement);
    place.replaceWith(found);
    if (focused) found.querySelector("a, button")?.focus({ preventScroll: true });
    found.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
  } finally {
    place.removeAttribute("aria-busy");
  }
}
