// Buttons marked `data-copy="<id>"` copy what a field says.

export function followCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button, document.getElementById(button.dataset.copy));
  });
}

export function offerCopies(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

// Where nothing may be copied for it, the text is at least selected for the person's own hand.
async function copy(button, field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  } catch {
    field.focus();
  }
}
