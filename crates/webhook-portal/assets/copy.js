// Buttons marked `data-copy="<id>"` copy what a field or a text says. Without a script they are hidden.

export function followCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button, document.getElementById(button.dataset.copy));
  });
}

export function offerCopies(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

// Where a browser gives no access to the clipboard, the text is selected for the person's own hand.
export async function copy(button, source) {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    say(button, "Copied", said);
  } catch {
    select(source);
    say(button, "Selected: press Ctrl+C", said);
  }
}

function select(source) {
  for (let around = source; around; around = around.parentElement) {
    if (around.matches("details")) around.open = true;
  }
  source.focus();
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
}

// A live region tells it to those who do not see the button change.
function say(button, text, before) {
  button.ariaLive = "polite";
  button.textContent = text;
  setTimeout(() => (button.textContent = before), 3000);
}
