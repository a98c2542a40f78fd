// The boxes of groups and of all events follow those of types, and a search narrows them.

export function followChoices() {
  document.addEventListener("change", (event) => {
    const boxes = event.target.closest?.("#events");
    if (boxes && event.target.type === "checkbox") choose(boxes, event.target);
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "event-search") narrow(event.target);
  });
  document.addEventListener("keydown", (event) => {
    // It is no form of its own: Enter would send the whole one.
    if (event.target.id === "event-search" && event.key === "Enter") event.preventDefault();
  });
}

// What was chosen as a group is shown type by type.
export function prepareChoices(root) {
  const boxes = root.querySelector("#events");
  if (!boxes) return;
  boxes.querySelector("[data-narrows]").hidden = false;
  const all = allBox(boxes);
  for (const group of groupsOf(boxes)) {
    if (all.checked || groupBox(group).checked) check(typeBoxes(group), true);
  }
  tell(boxes);
  // What a script checked is no change by the person.
  for (const box of boxes.querySelectorAll("input[type=checkbox]")) box.defaultChecked = box.checked;
}

function choose(boxes, box) {
  const group = box.closest("[data-group]");
  if (!group) check(groupsOf(boxes).flatMap(typeBoxes), box.checked);
  else if (box === groupBox(group)) check(typeBoxes(group), box.checked);
  tell(boxes);
}

// Says of each group and of all how much of it is chosen.
function tell(boxes) {
  const groups = groupsOf(boxes);
  for (const group of groups) {
    const types = typeBoxes(group);
    const chosen = mark(groupBox(group), types);
    group.querySelector("[data-count]").textContent = `${chosen} of ${types.length}`;
  }
  mark(allBox(boxes), groups.flatMap(typeBoxes));
}

function mark(box, types) {
  const chosen = types.filter((type) => type.checked).length;
  box.checked = chosen === types.length;
  box.indeterminate = chosen > 0 && !box.checked;
  return chosen;
}

function narrow(search) {
  const boxes = search.closest("#events");
  const wanted = search.value.trim().toLowerCase();
  let shown = 0;
  for (const group of groupsOf(boxes)) {
    const types = [...group.querySelectorAll("[data-type]")];
    for (const type of types) {
      type.hidden = !type.textContent.toLowerCase().includes(wanted);
      if (!type.hidden) shown += 1;
    }
    group.hidden = types.every((type) => type.hidden);
  }
  const told = wanted && (shown === 1 ? "1 type fits." : `${shown} types fit.`);
  search.parentElement.querySelector("[role=status]").textContent = told;
}

const groupsOf = (boxes) => [...boxes.querySelectorAll("[data-group]")];
const allBox = (boxes) => boxes.querySelector("input[value='*']");
const groupBox = (group) => group.querySelector("legend input");
const typeBoxes = (group) => [...group.querySelectorAll("[data-type] input")];

function check(boxes, checked) {
  for (const box of boxes) box.checked = checked;
}
