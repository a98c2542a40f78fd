// Makes the pages pleasant. Everything works without it.

import { followCopies, offerCopies } from "./copy.js";
import { followChoices, prepareChoices } from "./event_choice.js";
import { followWebhookForm, offerRows } from "./form.js";
import { followPolicies } from "./retry_policy.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

followForms();
followFilters();
followPolicies();
followWebhookForm();
followChoices();
followCopies();

// What is on a page, and what comes onto it.
function prepare(root) {
  localiseTimes(root);
  prepareChoices(root);
  offerRows(root);
  offerCopies(root);
}

prepare(document);
document.addEventListener("swapped", (event) => {
  prepare(event.target);
  // As the browser does with a page that it loads.
  event.target.querySelector("[autofocus]")?.focus();
});
