// Makes the pages pleasant. Everything works without it.

import { followCopies, offerCopies } from "./copy.js";
import { keepFresh } from "./live.js";
import { followSelections } from "./select.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

followForms();
followFilters();
localiseTimes(document);
followCopies();
offerCopies(document);
followSelections();
keepFresh();
document.addEventListener("swapped", (event) => offerCopies(event.target));
document.addEventListener("swapped", (event) => localiseTimes(event.target));
