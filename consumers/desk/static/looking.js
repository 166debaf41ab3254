// Who else looks at a customer; and an address that ends in #contact or #offer opens that form.
const place = document.getElementById("looking");
if (place) {
  const show = (names) => {
    const others = names.filter((name) => name !== place.dataset.me);
    place.hidden = !others.length;
    place.textContent = place.dataset.text.replace("{}", others.join(", "));
  };
  document.getElementById("live")?.addEventListener("presence", (event) => {
    show(JSON.parse(event.detail.data).looking[place.dataset.customer] || []);
  });
  const key = { "#contact": "c", "#offer": "o" }[location.hash];
  if (key) document.querySelector(`#customer [data-key="${key}"]`)?.click();
}
