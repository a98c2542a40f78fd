// Filters of a list: folded on a narrow screen, unfolded beside a wide one.

const narrow = matchMedia("(max-width: 60rem)");

export function followFolds() {
  narrow.addEventListener("change", () => foldAll(document));
  const tell = (event) => {
    const fold = event.target.closest?.(".fold");
    if (fold) tellCount(fold);
  };
  document.addEventListener("input", tell);
  document.addEventListener("change", tell);
}

export function prepareFolds(root) {
  for (const fold of root.querySelectorAll(".fold:not([data-ready])")) {
    fold.open = !narrow.matches;
    fold.dataset.ready = "";
    tellCount(fold);
  }
}

// How many filters are set inside, for those who see only the summary.
function tellCount(fold) {
  const fields = [...fold.querySelectorAll("select, input")];
  const count = fields.filter((field) => field.value !== "").length;
  const told = fold.querySelector(".set-count");
  told.hidden = count === 0;
  told.firstChild.data = count;
}

// A screen that was turned.
function foldAll(root) {
  for (const fold of root.querySelectorAll(".fold")) fold.open = !narrow.matches;
}
