// Buttons marked `data-copy="<id>"` copy what a field or a text says.

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
async function copy(button, source) {
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = "Copied";
  } catch {
    for (let around = source; around; around = around.parentElement) {
      if (around.matches("details")) around.open = true;
    }
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    source.focus();
  }
}
