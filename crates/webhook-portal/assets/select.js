// Rows that are selected: how many, all at once, and no button that would do nothing.

export function followSelections() {
  const tell = () => document.querySelectorAll("form[data-selects]").forEach(tellSelection);
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form?.matches("[data-selects]")) return;
    if (event.target.matches("[data-all]")) {
      for (const box of boxes(form)) box.checked = event.target.checked;
    }
    tellSelection(form);
  });
  document.addEventListener("swapped", tell);
  // A browser that goes back to a page checks again what was checked.
  addEventListener("pageshow", tell);
  tell();
}

// The boxes of the form's rows, wherever they stand.
function boxes(form) {
  const name = form.dataset.selects;
  return [...form.elements].filter((box) => box.type === "checkbox" && box.name === name);
}

function tellSelection(form) {
  const all = boxes(form);
  const selected = all.filter((box) => box.checked).length;
  const whole = form.querySelector("[data-all]");
  whole.closest("[hidden]")?.removeAttribute("hidden");
  whole.checked = selected === all.length;
  whole.indeterminate = selected > 0 && selected < all.length;
  form.querySelector("[data-count]").textContent = `${selected} selected`;
  for (const button of form.querySelectorAll("button")) button.disabled = selected === 0;
}
