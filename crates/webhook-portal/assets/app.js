// Makes the pages pleasant. Everything works without it.

import { equipCode } from "./code.js";
import { followCopies, offerCopies } from "./copy.js";
import { followChoices, prepareChoices } from "./event_choice.js";
import { followFiles, offerFiles } from "./file.js";
import { followFolds, prepareFolds } from "./fold.js";
import { followWebhookForm, offerRows } from "./form.js";
import { followKeys } from "./keys.js";
import { followLeaving } from "./leaving.js";
import { keepFresh } from "./live.js";
import { loadPlaces } from "./load.js";
import { followPreview } from "./preview.js";
import { followPolicies } from "./retry_policy.js";
import { followSelections } from "./select.js";
import { followSuggestions } from "./suggest.js";
import { followFilters, followForms } from "./swap.js";
import { chooseLanguage, followLanguage } from "./tabs.js";
import { followTimes, localiseTimes } from "./time.js";
import { followZone, localiseFields } from "./zone.js";

// What listens for the whole page. Leaving comes first: it may hold back what the others do.
followLeaving();
followForms();
followFilters();
followPolicies();
followSuggestions();
followWebhookForm();
followPreview();
followChoices();
followCopies();
followFiles();
followSelections();
followFolds();
followKeys();
followLanguage();
followTimes();
followZone();
keepFresh();

// What is done to what is shown, now and whenever something takes its place.
function equip(shown) {
  localiseTimes(shown);
  localiseFields(shown);
  prepareFolds(shown);
  chooseLanguage(shown);
  offerCopies(shown);
  prepareChoices(shown);
  offerRows(shown);
  offerFiles(shown);
  equipCode(shown);
  loadPlaces(shown);
}

equip(document);
document.addEventListener("swapped", (event) => equip(event.target));
