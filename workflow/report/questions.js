"use strict";
// The evaluation's questions: which one arm lost against another, and what each arm answered. Texts reach the page as text nodes only.
(() => {
  const $ = (id) => document.getElementById(id);
  const place = $("question-data");
  if (!place || typeof DecompressionStream === "undefined") return;
  const MANY = 50; // rows that are made at first, and by each "more"
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const option = (id, value, text) => {
    const made = element("option", "", text);
    made.value = value;
    $(id).append(made);
  };
  const start = (data) => {
    let shown = MANY;
    const share = (row, arm) => (row[5][arm][1] ? row[5][arm][0] / row[5][arm][1] : NaN);
    for (const [k, arm] of data.arms.entries()) {
      option("question-of", String(k), arm.title);
      option("question-against", String(k), arm.title);
    }
    $("question-of").value = String(data.main);
    $("question-against").value = String(data.against);
    for (const [k, title] of data.benchmarks.entries()) option("question-benchmark", String(k), title);
    const levels = [...new Set(data.rows.map((row) => row[2]).filter((level) => level !== null))].sort((a, b) => a - b);
    for (const level of levels) option("question-level", String(level), `level ${level}`);
    $("question-level").parentElement.hidden = levels.length < 2;
    const is = {
      any: () => true,
      lost: (a, b) => a < b,
      won: (a, b) => a > b,
      right: (a, b) => a === 1 && b === 1,
      wrong: (a, b) => a === 0 && b === 0,
    };
    const wanted = () => {
      const of = Number($("question-of").value), against = Number($("question-against").value);
      const flip = $("question-flip").value, words = $("question-search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const found = data.rows.filter((row) => {
        if ($("question-benchmark").value && String(row[1]) !== $("question-benchmark").value) return false;
        if ($("question-level").value && String(row[2]) !== $("question-level").value) return false;
        if (!is[flip](share(row, of), share(row, against))) return false;
        const hay = `${row[0]}\n${row[3]}\n${row[4]}`.toLowerCase();
        return words.every((word) => hay.includes(word));
      });
      const gap = (row) => share(row, of) - share(row, against);
      return found.sort((a, b) => (flip === "won" ? gap(b) - gap(a) : gap(a) - gap(b)));
    };
    const opened = (row) => {
      const box = element("div", "asked");
      if (row[3]) {
        const asked = element("pre", "text");
        asked.append(...(typeof withFormulas === "function" ? withFormulas(row[3]) : [row[3]]));
        box.append(asked);
      }
      if (row[4]) box.append(element("p", "soft", `Gold answer: ${row[4]}`));
      const table = element("table"), head = element("tr"), body = element("tbody");
      for (const name of ["arm", "right", "answers, the commonest first"]) head.append(element("th", "", name));
      for (const [k, arm] of data.arms.entries()) {
        const line = element("tr"), said = element("td", "w");
        for (const [answer, verdict, why, n, how] of row[6][k]) {
          const one = element("div", `said ${verdict}`), rule = how === null ? "" : ` (${data.how[how]})`;
          one.append(element("b", "", `${n} ×`), element("bdi", "", answer || "(no answer)"), element("i", "", `${verdict}${why ? `: ${why}` : ""}${rule}`));
          said.append(one);
        }
        line.append(element("td", "", arm.title), element("td", "n", `${row[5][k][0]} of ${row[5][k][1]}`), said);
        body.append(line);
      }
      const top = element("thead");
      top.append(head);
      table.append(top, body);
      box.append(table);
      return box;
    };
    const update = () => {
      const found = wanted(), list = $("question-list");
      list.replaceChildren();
      const of = Number($("question-of").value), against = Number($("question-against").value);
      $("question-count").textContent = found.length
        ? `${found.length.toLocaleString("en")} of ${data.rows.length.toLocaleString("en")} questions`
        : "No question is like this. Choose another benchmark, level or outcome, or fewer words.";
      for (const row of found.slice(0, shown)) {
        const line = element("details"), head = element("summary");
        head.append(element("b", "", row[0]), element("bdi", "", row[3].slice(0, 160)));
        for (const arm of new Set([of, against])) {
          const said = element("span", "", `${data.arms[arm].title}: `);
          said.append(element("b", "", `${row[5][arm][0]} of ${row[5][arm][1]}`));
          head.append(said);
        }
        line.append(head);
        line.addEventListener("toggle", () => { if (line.open && line.childElementCount === 1) line.append(opened(row)); });
        list.append(line);
      }
      $("question-more").hidden = found.length <= shown;
    };
    for (const id of ["question-of", "question-against", "question-flip", "question-benchmark", "question-level"]) {
      $(id).addEventListener("change", () => { shown = MANY; update(); });
    }
    $("question-search").addEventListener("input", () => { shown = MANY; update(); });
    $("question-more").addEventListener("click", () => { shown += MANY; update(); });
    $("questions-box").hidden = false;
    update();
  };
  const bytes = Uint8Array.from(atob(place.textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  new Response(stream).text().then((text) => start(JSON.parse(text)));
})();
