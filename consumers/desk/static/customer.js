// The page of a customer while others and the engine act on it too: what changes is renewed where it stands, but
// for the forms, which somebody may be filling in.
const live = document.getElementById("live");
const page = () => document.getElementById("customer");
const SCROLLED = ".scroll, ol.life";
let asking = false;
let again = false;

// One at a time, and once more where something has changed meanwhile: a slow answer is not the newest.
async function renew() {
  again = asking;
  if (asking) return;
  asking = true;
  try {
    do {
      again = false;
      await ask();
    } while (again);
  } finally {
    asking = false;
  }
}

async function ask() {
  const place = page();
  if (!place) return;
  const answer = await fetch(place.dataset.news, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok || place !== page()) return;
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  for (const part of [...made.content.children]) replace(part);
}

function isSame(old, made) {
  const table = made.querySelector("#timeline-table");
  return table ? table.isEqualNode(old.querySelector("#timeline-table")) : old.isEqualNode(made);
}

function replace(made) {
  const old = document.getElementById(made.id);
  if (!old || isSame(old, made)) return;
  for (const each of old.querySelectorAll("details[open][data-open]")) {
    const again = made.querySelector(`details[data-open="${CSS.escape(each.dataset.open)}"]`);
    if (again) again.open = true;
  }
  const scrolled = [...old.querySelectorAll(SCROLLED)].map((each) => [each.scrollLeft, each.scrollTop]);
  const focusable = "a, button, summary, [tabindex]";
  const focus = old.contains(document.activeElement)
    ? [...old.querySelectorAll(focusable)].indexOf(document.activeElement) : -1;
  old.replaceWith(made);
  window.htmx?.process(made);
  [...made.querySelectorAll(SCROLLED)].forEach((each, i) => {
    [each.scrollLeft, each.scrollTop] = scrolled[i] ?? [0, 0];
  });
  if (focus >= 0) made.querySelectorAll(focusable)[focus]?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("lapwing:renewed"));
}

live?.addEventListener("queue", (event) => {
  const { changed, gone } = JSON.parse(event.detail.data);
  if ([...changed, ...gone].includes(page()?.dataset.warning)) renew();
});
live?.addEventListener("reload", renew);
setInterval(() => { if (document.querySelector("#standing[data-pending]")) renew(); }, 2000);
// Messages go out later than the step that they are about, and the desk hears nothing of them.
setInterval(() => { if (!document.hidden) renew(); }, 30000);

// An action answers with the whole page below the bar: the focus goes back to where it was.
let last = null;
document.addEventListener("focusin", (event) => {
  if (!page()?.contains(event.target)) return;
  const opened = event.target.closest("details.drop")?.querySelector("summary");
  last = (event.target.dataset.key ? event.target : opened)?.dataset.key ?? null;
});
document.addEventListener("htmx:after:swap", () => {
  if (document.activeElement && document.activeElement !== document.body) return;
  const place = page();
  const again = last && place?.querySelector(`[data-key="${CSS.escape(last)}"]`);
  (again || place?.querySelector("h1"))?.focus({ preventScroll: true });
});
