// The reader's time zone, named once on the page, and time fields in that zone. Forms send instants in
// UTC: the browser knows when clocks change, and the server gets the same address from everybody.

export const zoneName = Intl.DateTimeFormat().resolvedOptions().timeZone;

const offset = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" });

// "UTC−5": the distance at that time, which changes with the season.
export function offsetAt(at) {
  const part = offset.formatToParts(at).find(({ type }) => type === "timeZoneName");
  return part.value.replace("GMT", "UTC").replace("-", "−");
}

export function followZone() {
  document.addEventListener("formdata", ({ target, formData }) => {
    for (const field of target.querySelectorAll("input[data-instant]")) {
      if (field.value) formData.set(field.name, instantOf(field));
    }
  });
}

export function localiseFields(root) {
  const now = offsetAt(new Date());
  const isUtc = ["UTC", "Etc/UTC"].includes(zoneName);
  for (const place of root.querySelectorAll("[data-zone]")) {
    const whole = place.dataset.zone === "short" ? zoneName : `${zoneName} (${now})`;
    place.textContent = isUtc ? "UTC" : whole;
    // A narrow bar cuts the end off.
    if (place.parentElement.matches(".zone")) place.parentElement.title = place.parentElement.textContent;
  }
  for (const field of root.querySelectorAll("input[data-instant]:not([data-shown])")) {
    if (field.dataset.instant) field.value = localText(new Date(field.dataset.instant));
    field.dataset.shown = field.value;
  }
}

// The instant of a field in UTC. In the hour that comes twice when clocks go back, a field that nobody
// changed keeps its own instant.
function instantOf(field) {
  const unchanged = field.dataset.instant && field.value === field.dataset.shown;
  const at = new Date(unchanged ? field.dataset.instant : field.value);
  return Number.isNaN(at.getTime()) ? field.value : at.toISOString().replace(".000Z", "Z");
}

// A time as the value of a time field: without a zone, in the reader's.
function localText(at) {
  if (Number.isNaN(at.getTime())) return "";
  const two = (number) => String(number).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
