// Makes the pages pleasant. Everything works without it.

import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

followForms();
followFilters();
localiseTimes(document);
document.addEventListener("swapped", (event) => localiseTimes(event.target));
