// A toast goes after its seconds, but not while somebody points at it or has the focus in it.
function watch(toast) {
  if (toast.dataset.watched) return;
  toast.dataset.watched = "1";
  let left = Number(toast.dataset.seconds) * 10;
  const timer = setInterval(() => {
    if (!toast.isConnected) {
      clearInterval(timer);
      return;
    }
    left -= 1;
    if (left > 0 || toast.matches(":hover, :focus-within")) return;
    clearInterval(timer);
    toast.remove();
  }, 100);
}

const place = document.getElementById("toasts");
if (place) {
  const watchAll = () => place.querySelectorAll(".toast[data-seconds]").forEach(watch);
  new MutationObserver(watchAll).observe(place, { childList: true, subtree: true });
  watchAll();
}
