// The language of code samples: chosen once, in every page of this browser.

const CHOICE = "code-language";

export function followLanguage() {
  document.addEventListener("change", ({ target }) => {
    if (target.name !== CHOICE) return;
    localStorage.setItem(CHOICE, target.value);
  });
}

export function chooseLanguage(root) {
  const wanted = localStorage.getItem(CHOICE);
  for (const tab of root.querySelectorAll(`input[name=${CHOICE}]`)) {
    if (tab.value === wanted) tab.checked = true;
  }
}
