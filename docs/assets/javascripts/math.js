// Typeset the formulas that arithmatex marked. On file:// the theme's document$ may never fire, so render at once and
// again on every page that instant navigation brings; a second pass finds nothing left to do.
function typeset() {
  for (const element of document.querySelectorAll(".arithmatex:not([data-typeset])")) {
    renderMathInElement(element, {
      delimiters: [
        { left: "\\(", right: "\\)", display: false },
        { left: "\\[", right: "\\]", display: true },
      ],
      throwOnError: true,
    });
    element.dataset.typeset = "";
  }
}

typeset();
if (typeof document$ !== "undefined") document$.subscribe(typeset);
