// A file is read into a text field, so that the form needs no upload.

// Fields marked `data-fills="<id>"`, in a part that only a script shows.
export function followFiles() {
  document.addEventListener("change", async ({ target }) => {
    if (!target.dataset?.fills || !target.files?.length) return;
    const text = document.getElementById(target.dataset.fills);
    text.value = await target.files[0].text();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

export function offerFiles(root) {
  for (const part of root.querySelectorAll("[data-file]")) part.hidden = false;
}
