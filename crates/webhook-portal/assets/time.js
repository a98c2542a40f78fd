// Times in the reader's zone. A list says "3 min ago", with the exact time on hover and on focus.

import { offsetAt, zoneName } from "./zone.js";

// Whether lists show exact times too, in every page of this browser.
const CHOICE = "times";

// How often relative times are told anew, in milliseconds.
const RETELL_EVERY = 15_000;

const WEEK = 7 * 86_400;

const exact = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

// On the axis of a chart.
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

// A bar of a chart.
const hour = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

// Where the day is enough.
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

// From the largest unit to the smallest, each with its length in seconds.
const UNITS = [
  [86_400, "day", "days"],
  [3_600, "h", "h"],
  [60, "min", "min"],
  [1, "s", "s"],
];

export function followTimes() {
  setInterval(() => document.hidden || retell(document), RETELL_EVERY);
  document.addEventListener("visibilitychange", () => retell(document));
  const button = document.getElementById("exact-times");
  if (!button) return;
  button.hidden = false;
  button.setAttribute("aria-pressed", wantsExact());
  button.addEventListener("click", () => {
    localStorage.setItem(CHOICE, wantsExact() ? "relative" : "exact");
    button.setAttribute("aria-pressed", wantsExact());
    retell(document);
  });
}

export function localiseTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const zone = offsetAt(at);
    time.title = `${exact.format(at)} ${zoneName} (${zone})`;
    if (time.dataset.show === "ago") time.dataset.exact = `${exact.format(at)} (${zone})`;
    time.textContent = told(time, at);
  }
  // The hover of a chart's bars: the time stands before the first colon with a space.
  for (const title of root.querySelectorAll("title[data-hour]")) {
    const rest = title.textContent.slice(title.textContent.indexOf(": "));
    title.textContent = hour.format(new Date(title.dataset.hour)) + rest;
  }
}

function retell(root) {
  for (const time of root.querySelectorAll("time[data-show=ago]")) {
    const text = told(time, new Date(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

function told(time, at) {
  switch (time.dataset.show) {
    case "clock": return clock.format(at);
    case "day": return day.format(at);
    case "ago": return wantsExact() ? exact.format(at) : relative(at);
    default: return exact.format(at);
  }
}

function wantsExact() {
  return localStorage.getItem(CHOICE) === "exact";
}

// "3 min ago", "in 2 h"; a day for what is further away than a week.
function relative(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  const distance = Math.abs(seconds);
  if (distance > WEEK) return day.format(at);
  // The clocks of browser and server differ a little.
  if (distance < 5) return "just now";
  const [length, one, many] = UNITS.find(([length]) => distance >= length);
  const count = Math.floor(distance / length);
  const words = `${count} ${count === 1 ? one : many}`;
  return seconds < 0 ? `${words} ago` : `in ${words}`;
}
