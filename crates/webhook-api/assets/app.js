// Makes the pages pleasant. Everything works without it.

import { followPolicies } from "./retry_policy.js";
import { followChoice } from "./choice.js";
import { offerCopies } from "./copy.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

followForms();
followFilters();
followPolicies();
followChoice();
offerCopies(document);
localiseTimes(document);
document.addEventListener("swapped", (event) => offerCopies(event.target));
document.addEventListener("swapped", (event) => localiseTimes(event.target));
