// A list that grows at its top. Who looks at the top sees new rows come; who has scrolled down is
// told how many there are, and nothing moves under the hand.

import { become } from "./become.js";

// How often new rows are read out at most, in milliseconds.
const TELL_EVERY = 15_000;

let untold = 0;
let toldAt = 0;

// Takes the rows of a region that was asked for again.
export function takeRows(here, found) {
  const news = [...found.querySelector("[data-rows]").children];
  for (const row of news) {
    const own = document.getElementById(row.id);
    if (own) become(own, row.cloneNode(true));
  }
  const fresh = news.filter((row) => !document.getElementById(row.id));
  const waits = fresh.length > 0 && here.getBoundingClientRect().top < 0;
  offer(here, found, waits ? fresh.length : 0);
  if (waits) return;
  place(here.querySelector("[data-rows]"), news);
  takePager(here, found);
  tell(fresh.length);
}

function place(rows, news) {
  const ids = new Set(news.map((row) => row.id));
  for (const row of [...rows.children]) {
    if (!ids.has(row.id) && !isInUse(row)) row.remove();
  }
  let next = rows.firstElementChild;
  for (const row of news) {
    const own = document.getElementById(row.id);
    if (own) {
      next = own.nextElementSibling;
    } else {
      row.classList.add("fresh");
      rows.insertBefore(row, next);
    }
  }
}

function isInUse(row) {
  return row.contains(document.activeElement) || row.querySelector(":checked") !== null;
}

function takePager(here, found) {
  const [own, pager] = [here, found].map((region) => region.querySelector(".pager"));
  if (own && pager) become(own, pager);
  else if (pager) here.append(pager);
  else own?.remove();
}

function offer(here, found, count) {
  const waiting = here.querySelector(".waiting");
  const button = waiting.querySelector("button");
  waiting.hidden = count === 0;
  button.textContent = count === 1 ? "1 new delivery" : `${count} new deliveries`;
  button.onclick = () => {
    scrollTo(0, 0);
    takeRows(here, found);
    here.querySelector("[data-rows] a").focus({ preventScroll: true });
    here.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
  };
}

// Not with every row: who listens would hear nothing else.
function tell(count) {
  untold += count;
  if (untold === 0 || Date.now() - toldAt < TELL_EVERY) return;
  const told = document.getElementById("told");
  told.textContent = untold === 1 ? "1 new delivery" : `${untold} new deliveries`;
  [untold, toldAt] = [0, Date.now()];
}
