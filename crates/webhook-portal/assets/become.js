// Makes an element like another and touches only what differs, so that the focus, what is selected,
// what is scrolled and what was opened stay.

export function become(here, found) {
  if (here.isEqualNode(found)) return;
  if (here.nodeType !== Node.ELEMENT_NODE) {
    here.data = found.data;
    return;
  }
  takeAttributes(here, found);
  let place = here.firstChild;
  for (const child of [...found.childNodes]) {
    const kept = counterpart(here, place, child);
    if (!kept) {
      here.insertBefore(child, place);
      continue;
    }
    // What stands before it has no counterpart: children keep their order.
    while (place && place !== kept) place = removed(place);
    become(kept, child);
    place = kept.nextSibling;
  }
  while (place) place = removed(place);
}

// The child whose place `child` takes: that of its id, or else the next one if it is of its kind.
function counterpart(here, place, child) {
  if (child.id) return [...here.children].find((own) => own.id === child.id);
  const alike = place && !place.id && place.nodeName === child.nodeName;
  return alike && place.className === child.className ? place : undefined;
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// Whether it is open is the person's choice.
function takeAttributes(here, found) {
  for (const { name } of [...here.attributes]) {
    if (name !== "open" && !found.hasAttribute(name)) here.removeAttribute(name);
  }
  for (const { name, value } of found.attributes) {
    if (name !== "open" && here.getAttribute(name) !== value) here.setAttribute(name, value);
  }
}
