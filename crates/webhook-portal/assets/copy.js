// Buttons marked `data-copy="<id>"` copy what a field or a text says, buttons marked `data-copy-before`
// the text of the element before them. Without a script they are hidden.

const BUTTONS = "[data-copy], [data-copy-before]";

export function followCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(BUTTONS);
    if (!button) return;
    const { copy: id } = button.dataset;
    copy(button, id ? document.getElementById(id) : button.previousElementSibling);
  });
}

export function offerCopies(root) {
  for (const button of root.querySelectorAll(BUTTONS)) button.hidden = false;
}

// Where a browser gives no access to the clipboard, the text is selected for the person's own hand.
export async function copy(button, source) {
  // "Copied" is still to be read.
  if (button.ariaLive) return;
  const said = [...button.childNodes];
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
  setTimeout(() => {
    button.replaceChildren(...before);
    button.removeAttribute("aria-live");
  }, 3000);
}
