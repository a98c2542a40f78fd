// Times in the reader's zone; the exact one in UTC stays in the title.

const shown = new Intl.DateTimeFormat("en-GB", {
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

// Where the day is enough.
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const formats = { clock, day };

export function localiseTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = (formats[time.dataset.show] ?? shown).format(new Date(time.dateTime));
  }
}
