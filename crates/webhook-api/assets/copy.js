// Buttons that copy. Without a script, or where a browser gives none access to the clipboard, the
// text can be selected by hand.

// Shows the buttons marked `data-copy="<id of what is copied>"`.
export function offerCopies(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
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
  source.focus();
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
}

// A live region tells it to those who do not see the button change.
function say(button, text, before) {
  button.textContent = text;
  button.setAttribute("aria-live", "polite");
  setTimeout(() => (button.textContent = before), 3000);
}
