// Blocks of code are copied with one press, and can be scrolled with the keyboard.

import { copy } from "./copy.js";

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) letScroll(target);
});

export function equipCode(root) {
  for (const block of root.querySelectorAll("pre:not(.code > *)")) {
    sizes.observe(block);
    addCopy(block);
  }
  for (const table of root.querySelectorAll(".scrolls")) sizes.observe(table);
}

// What does not scroll is no stop for the keyboard.
function letScroll(block) {
  const scrolls = block.scrollWidth > block.clientWidth || block.scrollHeight > block.clientHeight;
  if (scrolls) {
    block.tabIndex = 0;
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", block.dataset.name ?? "Code");
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) block.removeAttribute(name);
  }
}

function addCopy(block) {
  const frame = document.createElement("div");
  frame.className = "code";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => copy(button, block));
  block.replaceWith(frame);
  frame.append(block, button);
}
