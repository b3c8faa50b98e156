// Makes pages live: when something changes, the parts marked `data-live` are fetched anew and replaced. Without it everything is
// readable all the same.
(() => {
  "use strict";
  const state = document.getElementById("live-state");
  const parts = () => document.querySelectorAll("[data-live][id]");
  const EVERY = Number(document.querySelector("[data-every]")?.dataset.every) || 2000;
  let last = EVERY > 2000 ? Date.now() : 0, timer = null, busy = false;

  const say = (text) => { if (state) state.textContent = text; };

  const refresh = async () => {
    timer = null;
    if (document.hidden || busy) return later();
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts()) {
        const next = fresh.getElementById(part.id);
        // Whatever somebody is in the middle of stays.
        if (!next || part.contains(document.activeElement) || next.isEqualNode(part)) continue;
        const open = [...part.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent);
        part.replaceWith(document.importNode(next, true));
        for (const summary of document.getElementById(part.id).querySelectorAll("details > summary")) {
          if (open.includes(summary.textContent)) summary.parentElement.open = true;
        }
      }
      last = Date.now();
      say("Live: as of " + new Date(last).toLocaleTimeString() + ".");
    } catch {
      say("The connection is lost; this page shows what was before.");
    } finally {
      busy = false;
    }
  };
  const later = () => { if (!timer) timer = setTimeout(refresh, Math.max(0, EVERY - (Date.now() - last))); };

  if (parts().length && window.EventSource) {
    const events = new EventSource("/api/v1/events");
    for (const kind of ["feed", "organization", "health"]) events.addEventListener(kind, later);
    events.onopen = () => say("Live.");
    events.onerror = () => say("The connection is lost; it is tried again.");
    document.addEventListener("visibilitychange", () => { if (!document.hidden) later(); });
    // "12 s ago" grows although nothing changes.
    setInterval(later, 10000);
  }
})();
