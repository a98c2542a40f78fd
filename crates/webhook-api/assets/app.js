// Makes the pages pleasant. Everything works without it.

import { followChoice } from "./choice.js";
import { equipCode } from "./code.js";
import { followCopies, offerCopies } from "./copy.js";
import { keepFresh } from "./live.js";
import { loadPlaces } from "./load.js";
import { followPolicies } from "./retry_policy.js";
import { followSelections } from "./select.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

// What listens for the whole page.
followForms();
followFilters();
followPolicies();
followChoice();
followCopies();
followSelections();
keepFresh();

// What is done to what is shown, now and whenever something takes its place.
function equip(shown) {
  localiseTimes(shown);
  offerCopies(shown);
  equipCode(shown);
  loadPlaces(shown);
}

equip(document);
document.addEventListener("swapped", (event) => equip(event.target));
