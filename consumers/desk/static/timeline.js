// The chart of a customer's days, drawn from the table that stands below it.
const NAMES = ["orders", "spend", "logins", "complaints", "probability"];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function columns(table) {
  const rows = [...table.querySelectorAll("tr[data-day]")].reverse();
  const days = rows.map((row) => Date.parse(`${row.dataset.day}T00:00:00Z`) / 1000);
  const values = rows.map((row) => row.dataset.values.split(" "));
  return [days, ...NAMES.map((_, i) => values.map((each) => (each[i] ? Number(each[i]) : null)))];
}

function draw() {
  const place = document.getElementById("timeline");
  const table = document.getElementById("timeline-table");
  if (!place || !table || !window.uPlot) return;
  place.replaceChildren();
  const soft = colour("--soft");
  const line = colour("--line");
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const bars = window.uPlot.paths.bars({ size: [0.7, 24] });
  const series = (name, scale, stroke, more) => ({ label: place.dataset[name], scale, stroke, width: 2, ...more });
  const language = document.documentElement.lang;
  const dated = (at, how) => new Date(at * 1000).toLocaleDateString(language, { timeZone: "UTC", ...how });
  const zoned = (at) => window.uPlot.tzDate(new Date(at * 1000), "Etc/UTC");
  new window.uPlot(
    {
      width: place.clientWidth,
      height: 260,
      tzDate: zoned,
      cursor: { drag: { x: false, y: false } },
      scales: { spend: {}, count: { range: (_u, _low, high) => [0, Math.max(1, high)] }, share: { range: [0, 1] } },
      axes: [
        { ...axis, values: (_u, days) => days.map((at) => dated(at, { day: "numeric", month: "short" })) },
        { ...axis, scale: "count", size: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
        { ...axis, scale: "spend", side: 1, size: 60, grid: { show: false } },
        { ...axis, scale: "share", show: false },
      ],
      series: [
        { label: place.dataset.day, value: (_u, at) => (at == null ? "" : dated(at, { dateStyle: "medium" })) },
        series("orders", "count", colour("--calm"), { fill: colour("--calm-soft"), paths: bars, points: { show: false } }),
        series("spend", "spend", colour("--good"), { points: { show: false } }),
        series("logins", "count", soft, { dash: [4, 3], points: { show: false } }),
        series("complaints", "count", colour("--bad"), { paths: () => null, points: { show: true, size: 9, fill: colour("--bad"), filter: (u, i) => u.data[i].flatMap((v, n) => (v > 0 ? [n] : [])) } }),
        series("probability", "share", colour("--warm"), { width: 3, spanGaps: true, value: (_u, v) => (v == null ? "–" : `${Math.round(v * 100)} %`) }),
      ],
    },
    columns(table),
    place,
  );
}

let drawn = 0;
function redraw() {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(draw);
}
redraw();
document.addEventListener("htmx:after:swap", () => {
  if (!document.querySelector("#timeline > .uplot")) redraw();
});
document.addEventListener("lapwing:renewed", () => {
  if (!document.querySelector("#timeline > .uplot")) redraw();
});
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
