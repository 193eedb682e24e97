"use strict";
// The browsable problems of a study, or prompts of a log. Texts reach the page as text nodes only; data are inflated
// from base 64. Only the rows in sight exist, so that thousands of problems scroll like ten.
(() => {
  const $ = (id) => document.getElementById(id);
  // Paper has no buttons: what is folded on the screen is printed, the configuration apart.
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("#tables details, #evidence details")) folded.open = true;
  });
  // The list of sections marks the one that is being read.
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const mark = () => {
    let now;
    for (const id of links.keys()) {
      const section = $(id);
      if (section && section.getBoundingClientRect().top < window.innerHeight / 3) now = id;
    }
    for (const [id, link] of links) {
      if (id === now) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  window.addEventListener("scroll", mark, { passive: true });
  mark();
  const SVG = "http://www.w3.org/2000/svg";
  const place = $("problem-data");
  if (!place) return;

  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const drawn = (tag, attributes) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const number = (value, digits = 2) =>
    value === null || Number.isNaN(value) ? "–" : value.toFixed(digits).replace("-", "−");

  const start = (data) => {
    const n = data.ids.length, epochs = data.epochs;
    const words = data.words || { many: "problems", text: "Problem", epoch: "epoch" };
    const classes = data.classes; // of a log's prompts; a study has none
    const share = (i, e) => {
      const of = data.n[i * epochs + e];
      return of > 0 ? data.correct[i * epochs + e] / of : null;
    };
    const curve = (i) => Array.from({ length: epochs }, (_, e) => share(i, e));
    const numbers = () => new Float64Array(n).fill(NaN);
    const mean = numbers(), rise = numbers(), first = numbers(), last = numbers();
    const samples = new Float64Array(n), hits = new Float64Array(n);
    const solved = new Array(n).fill("unknown");
    for (let i = 0; i < n && epochs; i++) {
      let right = 0, all = 0;
      for (let e = 0; e < epochs; e++) {
        right += data.correct[i * epochs + e];
        all += data.n[i * epochs + e];
        const at = share(i, e);
        if (at !== null) { last[i] = at; if (Number.isNaN(first[i])) first[i] = at; }
      }
      if (!all) continue;
      samples[i] = all;
      hits[i] = right;
      mean[i] = right / all;
      rise[i] = last[i] - first[i];
      solved[i] = right === 0 ? "never" : right === all ? "always" : "sometimes";
    }
    const prompts = data.prompts || [], answers = data.answers || [];
    const hay = data.ids.map((id, i) =>
      `${id}\n${prompts[i] || ""}\n${answers[i] || ""}`.toLowerCase());

    const list = $("problem-list"), space = $("problem-space"), count = $("problem-count");
    const state = { order: [], active: 0, open: -1, sort: "score", down: true };
    const small = window.matchMedia("(max-width: 44rem)");
    const height = () => (small.matches ? 72 : 58);
    const rows = new Map();

    const option = (select, value, text) => {
      const made = element("option", "", text);
      made.value = value;
      select.append(made);
    };
    // A control that the page does not have chooses nothing.
    const chosen = (id) => ($(id) ? $(id).value : "");
    const needed = (id, is) => { if ($(id)) $(id).parentElement.hidden = !is; };
    if ($("by-score")) for (const name of data.scores) option($("by-score"), name, name);
    if (classes) for (const [k, name] of data.class_names.entries()) option($("by-class"), String(k), name);
    for (const [k, arm] of data.arms.entries()) {
      option($("by-subset"), `in:${k}`, `kept by ${arm.title}${arm.title.toLowerCase() === arm.name.toLowerCase() ? "" : ` (${arm.name})`}`);
      option($("by-subset"), `out:${k}`, `left out by ${arm.title}${arm.title.toLowerCase() === arm.name.toLowerCase() ? "" : ` (${arm.name})`}`);
    }
    const levels = [...new Set(data.levels.filter((level) => level !== null))].sort((a, b) => a - b);
    if ($("by-level")) for (const level of levels) option($("by-level"), String(level), `level ${level}`);
    needed("by-level", levels.length > 1);
    needed("by-score", data.scores.length > 1);
    needed("by-solved", epochs);
    if (!epochs) {
      $("browser").classList.add("no-curves");
    }
    needed("by-subset", data.arms.length);

    const scores = () => data.values[chosen("by-score") || data.scores[0]];
    let places = null; // of the ids in their own order, made when it is first asked for
    const byId = () => {
      if (places === null) {
        const collator = new Intl.Collator("en", { numeric: true });
        const sorted = [...data.ids.keys()].sort((a, b) => collator.compare(data.ids[a], data.ids[b]));
        places = new Float64Array(n);
        sorted.forEach((i, at) => { places[i] = at; });
      }
      return places;
    };
    const keys = {
      score: (i) => { const v = scores()[i]; return v === null ? NaN : v; },
      accuracy: (i) => mean[i],
      rise: (i) => rise[i],
      level: (i) => (data.levels[i] === null ? NaN : data.levels[i]),
      order: (i) => i,
      id: (i) => byId()[i],
      first: (i) => first[i],
      last: (i) => last[i],
      samples: (i) => samples[i],
      class: (i) => classes[i],
      width: (i) => (!data.low || data.low[i] === null || data.high[i] === null ? NaN : data.high[i] - data.low[i]),
    };
    const wanted = () => {
      const asked = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const subset = chosen("by-subset").split(":"), solvedBy = chosen("by-solved");
      const level = chosen("by-level"), ofClass = chosen("by-class");
      const kept = subset[1] === undefined ? null : data.arms[Number(subset[1])].kept;
      const found = [];
      for (let i = 0; i < n; i++) {
        if (kept !== null && (kept[i] === "1") !== (subset[0] === "in")) continue;
        if (solvedBy && solved[i] !== solvedBy) continue;
        if (level && String(data.levels[i]) !== level) continue;
        if (ofClass && String(classes[i]) !== ofClass) continue;
        let all = true;
        for (const word of asked) if (!hay[i].includes(word)) { all = false; break; }
        if (all) found.push(i);
      }
      return found;
    };
    const update = () => {
      const began = performance.now();
      const key = keys[state.sort], sign = state.down ? -1 : 1;
      const values = new Float64Array(n);
      const found = wanted();
      for (const i of found) values[i] = key(i);
      found.sort((a, b) => {
        const x = values[a], y = values[b];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a - b;
        return sign * (x - y) || a - b;
      });
      state.order = found;
      state.active = Math.max(0, found.indexOf(state.open));
      for (const row of rows.values()) row.remove();
      rows.clear();
      space.style.height = `${found.length * height()}px`;
      list.scrollTop = state.active * height() > list.clientHeight ? state.active * height() : 0;
      paint();
      count.textContent = `${found.length.toLocaleString("en")} of ${n.toLocaleString("en")} ${words.many}`;
      count.dataset.milliseconds = (performance.now() - began).toFixed(2);
      for (const head of document.querySelectorAll("[data-sort]")) {
        const on = head.dataset.sort === state.sort;
        head.setAttribute("aria-pressed", String(on));
        head.dataset.direction = on ? (state.down ? "down" : "up") : "";
      }
      $("sorted").value = `${state.sort}:${state.down ? "down" : "up"}`;
    };

    const sparkline = (values, width, tall) => {
      const svg = drawn("svg", { viewBox: `0 0 ${width} ${tall}`, class: "spark", "aria-hidden": "true" });
      const x = (e) => (epochs < 2 ? width / 2 : 3 + (e * (width - 6)) / (epochs - 1));
      const y = (v) => tall - 3 - v * (tall - 6);
      const path = (points) => {
        let text = "", pen = false;
        points.forEach((v, e) => {
          if (v === null) { pen = false; return; }
          text += `${pen ? "L" : "M"}${x(e).toFixed(1)} ${y(v).toFixed(1)}`;
          pen = true;
        });
        return text;
      };
      svg.append(drawn("path", { d: path(data.mean), class: "mean" }));
      svg.append(drawn("path", { d: path(values), class: "own" }));
      values.forEach((v, e) => {
        const alone = v !== null && (e === 0 || values[e - 1] === null) && (e === epochs - 1 || values[e + 1] === null);
        if (alone) svg.append(drawn("circle", { cx: x(e), cy: y(v), r: 1.6, class: "dot" }));
      });
      return svg;
    };
    // What the score would be if the visits that are not in the log had been all wrong or all right.
    const bounds = (i) => (data.low[i] === data.high[i] ? "" : `${number(data.low[i])} – ${number(data.high[i])}`);
    const make = (at) => {
      const i = state.order[at];
      const row = element("div", "row");
      row.id = `problem-${i}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-posinset", String(at + 1));
      row.setAttribute("aria-setsize", String(state.order.length));
      row.dataset.at = at;
      row.style.top = `${at * height()}px`;
      row.style.height = `${height()}px`;
      const marks = element("span", "marks"), seen = new Set();
      for (const arm of data.arms) {
        if (arm.kept[i] === "1" && !seen.has(arm.group)) {
          seen.add(arm.group);
          const mark = element("i", "", arm.mark);
          mark.title = `kept by ${arm.title}`;
          mark.style.borderColor = arm.colour;
          marks.append(mark);
        }
      }
      const text = element("span", "prompt");
      text.append(element("bdi", "", (prompts[i] || "").slice(0, 240).replace(/\s+/g, " ")));
      const share = Number.isNaN(mean[i]) ? "–" : `${Math.round(100 * mean[i])} %`;
      const score = element("span", "value", number(scores()[i]));
      const solvedIn = element("span", "value share", share);
      row.append(
        element("span", "id", data.ids[i]),
        score,
        epochs ? sparkline(curve(i), 92, 30) : element("span", "spark"),
        ...(classes ? [element("span", "value ends", number(first[i])), element("span", "value ends", number(last[i]))] : []),
        solvedIn,
        marks,
        text,
      );
      if (classes) {
        solvedIn.append(element("small", "", `${hits[i].toLocaleString("en")} of ${samples[i].toLocaleString("en")}`));
        if (data.low) score.append(element("small", "", bounds(i)));
        marks.append(element("b", `class ${data.class_names[classes[i]]}`, data.class_names[classes[i]]));
      }
      return row;
    };
    const paint = () => {
      const tall = height();
      const from = Math.max(0, Math.floor(list.scrollTop / tall) - 6);
      const to = Math.min(state.order.length, Math.ceil((list.scrollTop + list.clientHeight) / tall) + 6);
      for (const [at, row] of rows) if (at < from || at >= to) { row.remove(); rows.delete(at); }
      for (let at = from; at < to; at++) {
        if (!rows.has(at)) { const row = make(at); rows.set(at, row); space.append(row); }
      }
      for (const [at, row] of rows) {
        row.classList.toggle("active", at === state.active);
        row.setAttribute("aria-selected", String(state.order[at] === state.open));
      }
      if (state.order.length) list.setAttribute("aria-activedescendant", `problem-${state.order[state.active]}`);
      else list.removeAttribute("aria-activedescendant");
    };
    const move = (to) => {
      if (!state.order.length) return;
      state.active = Math.min(state.order.length - 1, Math.max(0, to));
      const top = state.active * height();
      if (top < list.scrollTop) list.scrollTop = top;
      if (top + height() > list.scrollTop + list.clientHeight) list.scrollTop = top + height() - list.clientHeight;
      paint();
    };

    // --- one problem

    const pair = (list_, name, value) => {
      if (value === null || value === undefined || value === "") return;
      const box = element("div");
      box.append(element("dt", "", name), element("dd", "", value));
      list_.append(box);
    };
    const verdicts = (i) => {
      const width = Math.max(240, epochs * 22), tall = 96;
      const svg = drawn("svg", { viewBox: `0 0 ${width} ${tall + 18}`, class: "history", role: "img" });
      const names = { correct: 0, incorrect: 0, malformed: 0 };
      const step = width / epochs, bar = Math.min(18, step * 0.72);
      for (let e = 0; e < epochs; e++) {
        const of = data.n[i * epochs + e];
        if (!of) continue;
        const right = data.correct[i * epochs + e];
        const bad = data.malformed ? data.malformed[i * epochs + e] : 0;
        const parts = [["correct", right], ["incorrect", of - right - bad], ["malformed", bad]];
        let top = tall;
        for (const [kind, k] of parts) {
          names[kind] += k;
          const size = (k / of) * (tall - 4);
          if (k) svg.append(drawn("rect", { x: (e * step + (step - bar) / 2).toFixed(1), y: (top - size).toFixed(1), width: bar.toFixed(1), height: Math.max(0, size - 1).toFixed(1), class: kind }));
          top -= size;
        }
        const label = drawn("text", { x: (e * step + step / 2).toFixed(1), y: tall + 13 });
        label.textContent = e + 1;
        if (epochs <= 12 || e % 5 === 4 || e === 0) svg.append(label);
      }
      const path = data.mean.map((v, e) => (v === null ? "" : `${(e * step + step / 2).toFixed(1)},${(tall - v * (tall - 4)).toFixed(1)}`)).filter(Boolean).join(" ");
      svg.append(drawn("polyline", { points: path, class: "mean" }));
      svg.setAttribute("aria-label", `Verdicts by ${words.epoch}: ${names.correct} correct, ${names.incorrect} incorrect${data.malformed || !classes ? `, ${names.malformed} malformed` : ""} in all`);
      return svg;
    };
    const legend = () => {
      const box = element("p", "legend");
      for (const kind of data.malformed ? ["correct", "incorrect", "malformed"] : ["correct", "incorrect"]) {
        const item = element("span", "", kind);
        item.prepend(element("i", kind));
        box.append(item);
      }
      const item = element("span", "", "mean curve, share correct");
      item.prepend(element("i", "line"));
      box.append(item);
      return box;
    };
    const canDraw = typeof withFormulas === "function";
    const readable = (text) => (canDraw && !state.written ? withFormulas(text) : [text]);
    const chunks = new Map();
    const responses = async (i) => {
      const k = Math.floor(i / data.chunk), holder = $(`responses-${k}`);
      if (!holder) return [];
      if (!chunks.has(k)) chunks.set(k, await unpack(holder.textContent));
      return chunks.get(k)[i % data.chunk];
    };
    const open = async (at, focus) => {
      move(at);
      const i = state.order[at];
      if (i === undefined) return;
      state.open = i;
      history.replaceState(null, "", `#problem=${encodeURIComponent(data.ids[i])}`);
      paint();
      const panel = $("problem");
      panel.replaceChildren();
      panel.hidden = false;
      const title = element("h3", "", data.ids[i]);
      title.tabIndex = -1;
      const close = element("button", "close", "Close");
      close.type = "button";
      close.addEventListener("click", shut);
      const head = element("div", "head");
      head.append(title);
      if (canDraw) {
        const written = element("button", "written", "As written");
        written.type = "button";
        written.setAttribute("aria-pressed", String(state.written));
        written.addEventListener("click", () => { state.written = !state.written; open(at, false); });
        head.append(written);
      }
      head.append(close);
      panel.append(head);
      const facts = element("dl", "numbers");
      for (const name of data.scores) pair(facts, `score ‘${name}’`, number(data.values[name][i], 3));
      pair(facts, "level", data.levels[i]);
      if (!Number.isNaN(mean[i])) pair(facts, "correct", `${(100 * mean[i]).toFixed(1)} %`);
      if (!Number.isNaN(rise[i])) pair(facts, `last − first ${words.epoch}`, `${number(100 * rise[i], 0)} points`);
      if (classes) {
        pair(facts, "class", data.class_names[classes[i]]);
        pair(facts, "samples", `${hits[i].toLocaleString("en")} of ${samples[i].toLocaleString("en")} correct`);
        if (data.low) pair(facts, "score if missing visits are all wrong, all right", bounds(i));
      }
      const held = data.arms.filter((arm) => arm.kept[i] === "1").map((arm) => arm.title);
      pair(facts, "kept by", held.length ? [...new Set(held)].join(", ") : data.arms.length ? "no subset" : "");
      panel.append(facts);
      if (data.reasons[i]) panel.append(element("p", "soft", `No score: ${data.reasons[i]}.`));
      const block = (name, text, begin = "", end = "") => {
        if (!text) return;
        panel.append(element("h4", "", name));
        const pre = element("pre", "text");
        pre.append(element("span", "soft", begin), ...readable(text), element("span", "soft", end));
        pre.dir = "auto";
        panel.append(pre);
      };
      block(words.text, prompts[i], data.begin, data.end);
      block("Gold answer", answers[i]);
      if (epochs) {
        panel.append(element("h4", "", `Verdicts by ${words.epoch}`), verdicts(i), legend());
      }
      const shown = element("div", "responses");
      panel.append(shown);
      if (focus) { title.focus({ preventScroll: true }); }
      if (focus || small.matches) panel.scrollIntoView({ block: "nearest" });
      const found = await responses(i);
      if (state.open !== i || !found.length) return;
      shown.append(element("h4", "", data.all ? "All responses" : "Some responses"));
      let place = shown, last = -1;
      for (const [epoch, step, verdict, tokens, truncated, text, reward] of found) {
        if (data.all && epoch !== last) {
          last = epoch;
          const own = found.filter((one) => one[0] === epoch), right = own.filter((one) => one[2] === "correct").length;
          place = element("details");
          place.append(element("summary", "", `${words.epoch} ${epoch + 1}: ${right} of ${own.length} correct`));
          place.open = epoch === found[found.length - 1][0];
          shown.append(place);
        }
        const box = element("div", "response");
        const what = element("p", "what");
        what.append(element("i", verdict), element("b", "", verdict));
        const said = [`${words.epoch} ${epoch + 1}`];
        if (step !== null) said.push(`step ${step}`);
        if (tokens !== null) said.push(`${tokens.toLocaleString("en")} token${tokens === 1 ? "" : "s"}`);
        if (truncated) said.push("cut off by the limit");
        if (typeof reward === "number") said.push(`reward ${String(reward).replace("-", "−")}`);
        what.append(` ${said.join(", ")}`);
        const pre = element("pre", "text");
        pre.append(...readable(text));
        pre.dir = "auto";
        box.append(what, pre);
        place.append(box);
      }
    };
    const shut = () => {
      state.open = -1;
      history.replaceState(null, "", location.pathname + location.search);
      $("problem").hidden = true;
      paint();
      list.focus({ preventScroll: true });
    };

    // --- keys, pointer, controls

    const page = () => Math.max(1, Math.floor(list.clientHeight / height()) - 1);
    const steps = {
      ArrowDown: () => move(state.active + 1), ArrowUp: () => move(state.active - 1),
      j: () => move(state.active + 1), k: () => move(state.active - 1),
      PageDown: () => move(state.active + page()), PageUp: () => move(state.active - page()),
      Home: () => move(0), End: () => move(state.order.length - 1),
      Enter: () => open(state.active, true), " ": () => open(state.active, false),
      Escape: shut,
    };
    list.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in steps)) return;
      event.preventDefault();
      steps[event.key]();
    });
    $("problem").addEventListener("keydown", (event) => { if (event.key === "Escape") shut(); });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select, textarea");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        $("search").focus();
        $("browse").scrollIntoView();
      }
    });
    $("search").addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); list.focus(); }
      if (event.key === "Escape") { $("search").value = ""; update(); }
    });
    space.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) open(Number(row.dataset.at), false);
    });
    list.addEventListener("scroll", paint, { passive: true });
    $("search").addEventListener("input", update);
    for (const id of ["by-score", "by-subset", "by-solved", "by-level", "by-class"]) if ($(id)) $(id).addEventListener("change", update);
    for (const head of document.querySelectorAll("[data-sort]")) {
      head.addEventListener("click", () => {
        state.down = state.sort === head.dataset.sort ? !state.down : !["order", "id", "class"].includes(head.dataset.sort);
        state.sort = head.dataset.sort;
        update();
      });
    }
    $("sorted").addEventListener("change", () => {
      const [key, direction] = $("sorted").value.split(":");
      state.sort = key;
      state.down = direction === "down";
      update();
    });
    small.addEventListener("change", update);
    window.addEventListener("resize", paint);
    $("browser").hidden = false;
    $("browser-wait").hidden = true;
    update();
    // The address of an open problem can be sent to somebody else.
    const linked = () => {
      if (!location.hash.startsWith("#problem=")) return;
      let id = location.hash.slice("#problem=".length);
      try { id = decodeURIComponent(id); } catch { /* no escapes of a browser: taken as it is */ }
      const i = data.ids.indexOf(id);
      if (i < 0) { count.textContent = `There is no ${words.many.replace(/s$/, "")} '${id.slice(0, 80)}' here.`; return; }
      for (const name of ["search", "by-subset", "by-solved", "by-level", "by-class"]) if ($(name)) $(name).value = "";
      update();
      open(state.order.indexOf(i), true);
    };
    window.addEventListener("hashchange", linked);
    linked();
    document.documentElement.dataset.ready = "yes";
  };

  if (typeof DecompressionStream === "undefined") {
    $("browser-wait").textContent = "This browser is too old to unpack the problems (it lacks DecompressionStream). The rest of the page is complete.";
    return;
  }
  unpack(place.textContent).then(start).catch((error) => {
    $("browser-wait").textContent = `The problems could not be shown (${error.message}). The rest of the page is complete.`;
  });
})();
