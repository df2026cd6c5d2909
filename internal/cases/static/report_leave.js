// "Leave quickly": the page is emptied at once and its address is left for one that says nothing, so that Back does not
// lead here again. Without script the same link leads there, and Back comes back.

/** Empties the page. Nothing of it is left for who presses Back, or looks into a page that the browser has kept. */
export function clear() {
  for (const form of document.forms) form.reset();
  document.getElementById("main")?.replaceChildren();
}

/** Leaves for the empty page. @param {string} to */
export function leave(to) {
  document.dispatchEvent(new Event("report-leave"));
  clear();
  location.replace(to);
}

document.addEventListener("click", (e) => {
  const link = e.target.closest?.("a[data-leave]");
  if (!link || e.defaultPrevented || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  leave(link.href);
});
