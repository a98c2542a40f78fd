// A form that was changed and not saved asks before it is left: by a link, by another form, or by the
// browser's own buttons.

// Whether the page is left for good: its form was sent, or the person agreed.
let leaves = false;

// Forms whose changes the person gives up.
const givenUp = new WeakSet();

export function followLeaving() {
  addEventListener("beforeunload", (event) => {
    if (!leaves && changedForms().length > 0) event.preventDefault();
  });
  // A form that was sent may stay on its page, as one that downloads a file does.
  document.addEventListener("input", () => (leaves = false));
  document.addEventListener("click", followLink);
  // Before the form is sent in place: that would throw away what stands in the others.
  document.addEventListener("submit", followSubmit, true);
}

async function followLink(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || !leadsAway(link, event) || changedForms().length === 0) return;
  event.preventDefault();
  if (!(await ask())) return;
  leaves = true;
  location.assign(link.href);
}

function leadsAway(link, event) {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
  const isHere = link.hash && link.href.split("#")[0] === location.href.split("#")[0];
  return !isHere && !link.target && !link.hasAttribute("download");
}

async function followSubmit(event) {
  const { target: form, submitter } = event;
  if (form.matches("[data-live]")) return;
  const others = changedForms().filter((other) => other !== form);
  if (others.length > 0) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await ask())) return;
    for (const other of others) givenUp.add(other);
    form.requestSubmit(submitter);
    return;
  }
  const isInPlace = form.matches("[data-swap]") || submitter?.hasAttribute("data-swap");
  if (!isInPlace || submitter?.hasAttribute("data-leave")) leaves = true;
}

// The forms that differ from what the server sent. A choice of rows is no change.
function changedForms() {
  const forms = document.querySelectorAll("form[method=post]:not([data-selects], [data-downloads])");
  return [...forms].filter((form) => !givenUp.has(form) && isChanged(form));
}

// The server marks a form that was sent and not saved.
function isChanged(form) {
  return form.hasAttribute("data-changed") || [...form.elements].some(differs);
}

function differs(field) {
  if (!field.name || field.type === "hidden" || field.type === "submit") return false;
  // A field that only chooses what is shown.
  if (field.closest("[data-view]")) return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type === "file") return field.files.length > 0;
  if (field.matches("select")) return choiceDiffers(field);
  return field.defaultValue !== undefined && field.value !== field.defaultValue;
}

// A list without a preset choice presets its first.
function choiceDiffers(list) {
  const options = [...list.options];
  const preset = Math.max(0, options.findIndex((option) => option.defaultSelected));
  return list.selectedIndex !== preset;
}

// Resolves to whether the person leaves. Escape stays.
function ask() {
  const dialog = document.createElement("dialog");
  dialog.className = "ask-first";
  dialog.setAttribute("aria-labelledby", "ask-first");
  dialog.innerHTML = `<h2 id="ask-first">Leave without saving?</h2>
    <p>The changes in this form are not saved.</p>
    <div class="buttons"><button type="button" value="stay" autofocus>Keep editing</button>
    <button type="button" class="plain" value="leave">Leave without saving</button></div>`;
  dialog.addEventListener("click", ({ target }) => target.value && dialog.close(target.value));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "leave");
    });
  });
}
