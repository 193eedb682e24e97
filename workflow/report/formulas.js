// Formulas in texts: TeX between $…$, $$…$$, \(…\) or \[…\] becomes MathML by KaTeX, which makes elements, never markup, and is told
// to open nothing and to stop early. What it cannot read stays as it is written.
const withFormulas = (() => {
  "use strict";
  const MOST = 300; // formulas of a text
  const TEX = /\$\$([^]{1,1500}?)\$\$|\\\[([^]{1,1500}?)\\\]|\\\(([^]{1,1500}?)\\\)|\$(?![\s$])((?:[^$\\\n]|\\[^]){1,600}?)(?<!\s)\$(?!\d)/g;
  const drawn = (tex, displayMode) => {
    const place = document.createElement("span");
    place.className = displayMode ? "formula block" : "formula";
    katex.render(tex, place, { displayMode, output: "mathml", throwOnError: true, trust: false, strict: "ignore", maxSize: 10, maxExpand: 100 });
    return place;
  };
  return (text) => {
    const parts = [];
    let from = 0, count = 0;
    for (const match of text.matchAll(TEX)) {
      if (++count > MOST) break;
      const display = match[1] ?? match[2];
      try {
        const made = drawn(display ?? match[3] ?? match[4], display !== undefined);
        parts.push(text.slice(from, match.index), made);
        from = match.index + match[0].length;
      } catch { /* it stays as it is written */ }
    }
    parts.push(text.slice(from));
    return parts;
  };
})();
