// The page of a customer while others and the engine act on it too.
const live = document.getElementById("live");
const page = () => document.getElementById("customer");

function renew() {
  const place = page();
  if (!place) return;
  const warning = place.dataset.warning ? `?warning=${encodeURIComponent(place.dataset.warning)}` : "";
  const path = `/standing/${encodeURIComponent(place.dataset.customer)}${warning}`;
  window.htmx?.ajax("GET", path, { target: "#standing", swap: "outerHTML" });
}

live?.addEventListener("queue", (event) => {
  const { changed, gone } = JSON.parse(event.detail.data);
  if ([...changed, ...gone].includes(page()?.dataset.warning)) renew();
});
live?.addEventListener("reload", renew);
