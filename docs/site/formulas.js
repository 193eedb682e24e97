// Formulas become MathML by the report's KaTeX: no fonts, and nothing from a network.
for (const place of document.querySelectorAll(".math")) {
  katex.render(place.textContent, place, { output: "mathml", displayMode: place.tagName === "DIV", throwOnError: false });
}
