// Keys for all that is done often. An element says with data-key which key stands for it; of a list the row
// that is current goes first. `?` lists them, and they can be switched off.
const OFF = "lapwing-keys-off";

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
}

const ROW = ".row[data-warning]";
let last = null; // the id of the row that was current: a row that is renewed is another element

function rows() {
  return [...document.querySelectorAll(ROW)];
}

function current() {
  return document.activeElement?.closest(ROW) ?? (last && document.getElementById(last));
}

function move(by) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(current());
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  for (const row of all) row.removeAttribute("aria-current");
  next.setAttribute("aria-current", "true");
  last = next.id;
  next.focus();
  return true;
}

function use(element) {
  if (element.matches("input, select, textarea")) {
    element.focus();
    element.select?.();
    return;
  }
  element.click();
  const opened = element.closest("details");
  if (element.matches("summary") && opened?.open) {
    opened.querySelector("input:not([type=hidden]), select, textarea, button")?.focus();
  }
}

function wanted(key) {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  return document.querySelector(`#toasts ${selector}`) ?? current()?.querySelector(selector)
    ?? document.querySelector(selector);
}

// htmx begins after this file has run: a key that is pressed before would send a form by itself.
let early = [];
setTimeout(() => {
  const pressed = early;
  early = null;
  pressed.forEach(onKey);
});
document.addEventListener("keydown", (event) => (early ? early.push(event) : onKey(event)));

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape") {
    const opened = event.target.closest?.("details[open]");
    if (opened) {
      opened.open = false;
      opened.querySelector("summary").focus();
    } else if (isTyping(event.target)) event.target.blur();
    return;
  }
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    document.getElementById("keys")?.showModal();
    return;
  }
  if (localStorage.getItem(OFF)) return;
  const by = { j: 1, k: -1 }[event.key];
  if (by && move(by)) {
    event.preventDefault();
    return;
  }
  if (event.key === "Enter" && event.target.matches?.(ROW)) {
    event.target.querySelector("a[href]")?.click();
    return;
  }
  if (event.key === "x") {
    const box = current()?.querySelector("input[type=checkbox]");
    if (box) box.click();
    return;
  }
  if (event.key.length !== 1) return;
  const element = wanted(event.key);
  if (element) {
    event.preventDefault();
    use(element);
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-keys]")) document.getElementById("keys")?.showModal();
});

const off = document.getElementById("keys-off");
if (off) {
  off.checked = localStorage.getItem(OFF) !== null;
  off.addEventListener("change", () => {
    if (off.checked) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  });
}
