// Shows what is new by itself: a region marked `data-refresh="<seconds>"` is asked for again while
// the page is seen, and takes what changed.

import { become } from "./become.js";
import { offerCopies } from "./copy.js";
import { takeRows } from "./rows.js";
import { localiseTimes } from "./time.js";

// In seconds: after a refusal the next request waits longer and longer, up to this.
const LONGEST_PAUSE = 60;
// In milliseconds.
const PATIENCE = 10_000;

// Whether the person wants it, in every page of this browser.
const CHOICE = "live";

let timer;
let asking = false;
let pause = 0;

export function keepFresh() {
  document.addEventListener("visibilitychange", goOn);
  document.addEventListener("swapped", goOn);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#live")) choose(!isWanted());
  });
  goOn();
}

function isWanted() {
  return localStorage.getItem(CHOICE) !== "off";
}

function choose(wanted) {
  localStorage.setItem(CHOICE, wanted ? "on" : "off");
  goOn();
}

function region() {
  return document.querySelector("[data-refresh]");
}

// There is one timer, and never two requests at once.
function goOn() {
  clearTimeout(timer);
  const here = region();
  const choice = document.getElementById("live");
  if (choice) {
    choice.hidden = !here;
    choice.setAttribute("aria-checked", isWanted());
  }
  if (!here || asking || document.hidden || !isWanted()) return;
  timer = setTimeout(() => ask(here), Math.max(here.dataset.refresh, pause) * 1000);
}

async function ask(here) {
  asking = true;
  try {
    const found = await read(here.id);
    pause = 0;
    // Meanwhile another part of the page may have taken its place, or it is wanted no more.
    if (here.isConnected && isWanted()) show(here, found);
  } catch (refusal) {
    const asked = Number(refusal.headers?.get("retry-after")) || 0;
    pause = Math.max(asked, Math.min(LONGEST_PAUSE, Math.max(2, pause * 2)));
  } finally {
    asking = false;
    goOn();
  }
}

// The same page as it is now. To count all that fit would cost too much every time.
async function read(id) {
  const address = new URL(location.href);
  address.searchParams.delete("total");
  const headers = { "x-refresh": "1" };
  const answer = await fetch(address, { headers, signal: AbortSignal.timeout(PATIENCE) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById(id);
  if (!answer.ok || !found) throw answer;
  return found;
}

function show(here, found) {
  localiseTimes(found);
  offerCopies(found);
  if (here.querySelector("[data-rows]") && found.querySelector("[data-rows]")) {
    takeRows(here, found);
  } else {
    become(here, found);
  }
  here.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
}
