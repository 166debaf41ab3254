// The queue while one looks at it: nothing moves by itself. Rows are renewed where they stand, new ones wait.
const live = document.getElementById("live");
const list = () => document.getElementById("queue");
const waiting = new Set();
let asked = 0;
let newsDue = null;

function shownRows() {
  return [...document.querySelectorAll("#queue .row[data-warning]")];
}

// Nothing where the desk cannot be reached: the stream comes back and says what changed meanwhile.
async function ask(address, how) {
  const answer = await fetch(address, how).catch(() => null);
  return answer?.ok ? answer : null;
}

async function renew() {
  const ids = shownRows().map((row) => row.dataset.warning).filter((id) => waiting.has(id));
  waiting.clear();
  if (!ids.length) return;
  const queue = list();
  const query = new URLSearchParams(queue.dataset.query || "");
  ids.forEach((id) => query.append("id", id));
  const answer = await ask(`/queue/rows?${query}`, { headers: { "HX-Request": "true" } });
  // Of a list that has come meanwhile the rows are newer, and their links have its filters.
  if (!answer || queue !== list()) return;
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  if (queue !== list()) return;
  const found = new Map([...made.content.querySelectorAll(".row")].map((row) => [row.dataset.warning, row]));
  for (const id of ids) replace(id, found.get(id));
}

function replace(id, made) {
  const old = document.getElementById(`w-${id}`);
  if (!old) return;
  if (!made) {
    old.classList.add("gone");
    old.querySelectorAll("button, input").forEach((each) => { each.disabled = true; });
    return;
  }
  const box = old.querySelector("input[name=id]");
  const now = made.querySelector("input[name=id]");
  if (box && now) now.checked = box.checked;
  const open = old.querySelector("details")?.open;
  if (open && made.querySelector("details")) made.querySelector("details").open = true;
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const key = focus?.dataset?.key;
  old.replaceWith(made);
  window.htmx?.process(made);
  if (focus) (key ? made.querySelector(`[data-key="${key}"]`) : made)?.focus({ preventScroll: true });
}

async function askForNews() {
  newsDue = null;
  const queue = list();
  if (!queue || queue.dataset.past) return;
  const query = new URLSearchParams(queue.dataset.query || "");
  query.set("since", queue.dataset.version);
  const answer = await ask(`/queue/news?${query}`);
  if (!answer) return;
  const news = await answer.json();
  const link = document.getElementById("news");
  if (!link) return;
  link.hidden = !news.count;
  link.textContent = news.text;
}

function soon() {
  if (newsDue === null) {
    const wait = Math.max(0, 3000 - (Date.now() - asked));
    newsDue = setTimeout(() => { asked = Date.now(); askForNews(); }, wait);
  }
}

// One at a time: a slow answer must not replace rows that were asked for later.
let renewing = false;
async function changed(ids) {
  ids.forEach((id) => waiting.add(id));
  if (renewing) return;
  renewing = true;
  try {
    while (waiting.size) {
      await new Promise((done) => setTimeout(done, 150));
      await renew();
    }
  } finally {
    renewing = false;
  }
}

function count() {
  const all = document.getElementById("choose-all");
  const chosen = document.querySelectorAll("#queue input[name=id]:checked").length;
  const shown = document.getElementById("chosen");
  if (shown) shown.textContent = all?.checked || !chosen ? "" : `${chosen}`;
}

if (live) {
  live.addEventListener("queue", (event) => {
    const data = JSON.parse(event.detail.data);
    changed([...data.changed, ...data.gone]);
    soon();
  });
  live.addEventListener("reload", () => {
    changed(shownRows().map((row) => row.dataset.warning));
    soon();
  });
  live.addEventListener("presence", (event) => {
    const { looking } = JSON.parse(event.detail.data);
    const rows = shownRows().filter((row) => {
      const place = row.querySelector("[data-looking]");
      return place && ((looking[row.dataset.customer] || []).join() !== (place.dataset.names || ""));
    });
    rows.forEach((row) => { row.querySelector("[data-looking]").dataset.names = (looking[row.dataset.customer] || []).join(); });
    changed(rows.map((row) => row.dataset.warning));
  });
}
document.addEventListener("change", (event) => {
  if (event.target.id === "choose-page") {
    document.querySelectorAll("#queue input[name=id]").forEach((box) => { box.checked = event.target.checked; });
  }
  count();
});
document.addEventListener("lapwing:acted", () => {
  changed(shownRows().map((row) => row.dataset.warning));
  // A second click on what is chosen would do it again.
  document.querySelectorAll("#queue input:checked").forEach((box) => { box.checked = false; });
  count();
});
