// What takes long is loaded into its place once the page is there. Without a script the place holds
// a link to it.

import { show } from "./swap.js";

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
    if (answer.ok && !answer.redirected && place.isConnected) await show(answer, place.id);
  } finally {
    place.removeAttribute("aria-busy");
  }
}
