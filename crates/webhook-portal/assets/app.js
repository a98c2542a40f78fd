// Makes the pages pleasant. Everything works without it.

import { equipCode } from "./code.js";
import { followCopies, offerCopies } from "./copy.js";
import { followChoices, prepareChoices } from "./event_choice.js";
import { followWebhookForm, offerRows } from "./form.js";
import { keepFresh } from "./live.js";
import { loadPlaces } from "./load.js";
import { followPolicies } from "./retry_policy.js";
import { followSelections } from "./select.js";
import { followSuggestions } from "./suggest.js";
import { followFilters, followForms } from "./swap.js";
import { localiseTimes } from "./time.js";

// What listens for the whole page.
followForms();
followFilters();
followPolicies();
followSuggestions();
followWebhookForm();
followChoices();
followCopies();
followSelections();
keepFresh();

// What is done to what is shown, now and whenever something takes its place.
function equip(shown) {
  localiseTimes(shown);
  offerCopies(shown);
  prepareChoices(shown);
  offerRows(shown);
  equipCode(shown);
  loadPlaces(shown);
}

equip(document);
// On a narrow screen the navigation scrolls.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
document.addEventListener("swapped", (event) => equip(event.target));
