// What opens over a page closes again, and what an address points to is scrolled to.
const OVER = ".menu, .queue-head .drop";

document.addEventListener("click", (event) => {
  for (const each of document.querySelectorAll(`details[open]:is(${OVER})`)) {
    if (!each.contains(event.target)) each.open = false;
  }
});
document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.drop[open]")) return;
  for (const each of document.querySelectorAll("details.drop[open]")) {
    if (each !== event.target && !each.contains(event.target)) each.open = false;
  }
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  document.querySelectorAll(`details[open]:is(${OVER})`).forEach((each) => { each.open = false; });
});

// On a narrow screen the links of the pages scroll.
document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const named = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (named) {
  const inside = named.querySelector("details");
  if (inside) inside.open = true;
  named.scrollIntoView({ block: "start" });
}
