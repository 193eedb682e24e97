"use strict";
// The chart of accuracy over steps: buttons show and hide arms, and the dot that is nearest to the pointer says its numbers.
(() => {
  const box = document.querySelector(".over-steps");
  if (!box) return;
  const tip = box.querySelector(".tip");
  let near = null;
  const tell = (dot) => {
    if (near) near.classList.remove("near");
    near = dot;
    tip.hidden = dot === null;
    if (dot === null) return;
    dot.classList.add("near");
    tip.textContent = dot.dataset.text;
    const at = dot.getBoundingClientRect(), around = box.getBoundingClientRect();
    const left = at.left - around.left + 14, room = around.width - tip.offsetWidth;
    tip.style.left = `${Math.max(0, left > room ? left - tip.offsetWidth - 24 : left)}px`;
    tip.style.top = `${Math.max(0, at.top - around.top - tip.offsetHeight - 6)}px`;
  };
  for (const button of document.querySelectorAll(".toggles button")) {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      for (const arm of box.querySelectorAll("g[data-arm]")) {
        if (arm.dataset.arm === button.dataset.arm) arm.classList.toggle("off", !on);
      }
      tell(null);
    });
  }
  box.addEventListener("pointermove", (event) => {
    let best = null, least = 40 * 40;
    for (const dot of box.querySelectorAll("g:not(.off) > circle")) {
      const at = dot.getBoundingClientRect();
      const away = (at.left + at.width / 2 - event.clientX) ** 2 + (at.top + at.height / 2 - event.clientY) ** 2;
      if (away < least) { best = dot; least = away; }
    }
    tell(best);
  });
  box.addEventListener("pointerleave", () => tell(null));
})();
