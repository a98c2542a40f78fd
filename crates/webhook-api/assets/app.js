// Makes the pages pleasant. Everything works without it.

import { followPolicies } from "./retry_policy.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

followForms();
followFilters();
followPolicies();
localiseTimes(document);
document.addEventListener("swapped", (event) => localiseTimes(event.target));
