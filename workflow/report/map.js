"use strict";
// The map: chooses the sheet of a pair and step, and says what the cell under the pointer or the focus holds.
(() => {
  const box = document.getElementById("map");
  if (!box) return;
  const says = document.getElementById("map-says"), first = says.textContent;
  const pair = document.getElementById("map-pair"), step = document.getElementById("map-step");
  const sheets = [...box.querySelectorAll(".sheet")];
  const cellsOf = (table) => [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
  const tell = (cell) => {
    for (const other of box.querySelectorAll(".near")) other.classList.remove("near");
    if (cell) cell.classList.add("near");
    says.textContent = cell ? cell.querySelector(".said-of").textContent : first;
  };
  const show = () => {
    for (const sheet of sheets) {
      sheet.hidden = sheet.dataset.pair !== pair.value || (step !== null && sheet.dataset.step !== step.value);
    }
    tell(null);
  };
  for (const table of box.querySelectorAll("table.cells")) {
    const grid = cellsOf(table);
    const enter = (cell) => {
      for (const row of grid) for (const other of row) other.tabIndex = other === cell ? 0 : -1;
    };
    if (grid[0] && grid[0][0]) enter(grid[0][0]);
    table.addEventListener("keydown", (event) => {
      const row = grid.findIndex((cells) => cells.includes(event.target));
      if (row < 0) return;
      const column = grid[row].indexOf(event.target), ends = { Home: 0, End: grid[row].length - 1 };
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      const next = event.key in ends ? grid[row][ends[event.key]] : move && (grid[row + move[0]] || [])[column + move[1]];
      if (!next) return;
      event.preventDefault();
      enter(next);
      next.focus();
    });
    table.addEventListener("focusin", (event) => { if (event.target.tagName === "TD") { enter(event.target); tell(event.target); } });
    table.addEventListener("pointerover", (event) => { const cell = event.target.closest("tbody td"); if (cell) tell(cell); });
  }
  pair.addEventListener("change", show);
  if (step) step.addEventListener("change", show);
})();
