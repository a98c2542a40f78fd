// Makes the pages pleasant. Everything works without it.

import { loadPlaces } from "./load.js";
import { followSelections } from "./select.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

followForms();
followFilters();
localiseTimes(document);
loadPlaces(document);
followSelections();
document.addEventListener("swapped", (event) => loadPlaces(event.target));
document.addEventListener("swapped", (event) => localiseTimes(event.target));
