// Makes the pages pleasant. Everything works without it.

import { equipCode } from "./code.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

followForms();
followFilters();
localiseTimes(document);
equipCode(document);
document.addEventListener("swapped", (event) => localiseTimes(event.target));
document.addEventListener("swapped", (event) => equipCode(event.target));
