"use strict";
// Shows each change as it happens. All text comes escaped from the program that serves this page.
(() => {
  const parts = new Map();
  const put = (id, html) => {
    const place = document.getElementById(id);
    if (!place || parts.get(id) === html) return false;
    const known = parts.has(id);
    parts.set(id, html);
    if (!known && place.innerHTML === html) return false;
    const focused = place.contains(document.activeElement);
    place.innerHTML = html;
    if (focused) {
      const next = place.querySelector("a, button") || place.closest("li")?.querySelector("h2");
      next?.focus();
    }
    return known;
  };
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    fetch(event.target.action, { method: "POST" }).catch(() => {});
  });
  // The server's clock may differ from ours: behind a forwarded port it is another machine's.
  let ahead = 0;
  const count = () => {
    for (const clock of document.querySelectorAll("[data-until]")) {
      const left = Math.max(0, Math.round((Number(clock.dataset.until) - Date.now() - ahead) / 1000));
      const minutes = Math.floor(left / 60);
      const seconds = String(left % 60).padStart(2, "0");
      const text = `Approve within ${minutes}:${seconds}.`;
      if (clock.textContent !== text) clock.textContent = text;
    }
  };
  setInterval(count, 1000);
  const said = document.getElementById("said");
  let last = null;
  const source = new EventSource("events");
  source.onmessage = (event) => {
    const news = JSON.parse(event.data);
    document.title = news.title;
    for (const [id, state, html] of news.parts) {
      put(id, html);
      if (state) document.getElementById(id)?.closest("li")?.setAttribute("data-state", state);
    }
    if (last !== null && news.said !== last) said.textContent = news.said;
    last = news.said;
    ahead = news.now - Date.now();
    count();
    document.body.classList.toggle("ended", news.ended);
    if (news.ended) source.close();
  };
  // Whoever listens there next need not be connplan: nothing is asked there again.
  source.onerror = () => {
    source.close();
    if (document.body.classList.contains("ended")) return;
    for (const part of document.querySelectorAll("main, footer")) part.inert = true;
    const gone = document.getElementById("gone");
    gone.hidden = false;
    said.textContent = gone.textContent;
  };
})();
