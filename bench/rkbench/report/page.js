// A press on a heading sorts its table by that column, a second press the other way; missing numbers stay last.
for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => {
  const heading = button.closest("th"), table = heading.closest("table"), body = table.tBodies[0];
  const falling = heading.getAttribute("aria-sort") === "ascending";
  const number = key => key === "inf" ? Infinity : Number(key);
  const key = row => row.cells[heading.cellIndex].dataset.key;
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return (x === "") - (y === "");
    const compared = isNaN(number(x)) || isNaN(number(y)) ? x.localeCompare(y) : Math.sign(number(x) - number(y)) || 0;
    return falling ? -compared : compared;
  };
  for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
  body.append(...[...body.rows].sort(order));
});

// What is typed into the filter leaves the rows whose name holds all its words.
const filter = document.getElementById("filter");
if (filter) {
  const rows = [...document.querySelectorAll(".sortable tbody tr")].map(row => [row, row.dataset.name.toLowerCase()]);
  const said = document.querySelector(".filter output");
  filter.form.hidden = false;
  filter.form.addEventListener("submit", event => event.preventDefault());
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const [row, name] of rows) {
      row.hidden = !words.every(word => name.includes(word));
      shown += !row.hidden;
    }
    const typed = filter.value.trim() !== "";
    said.value = typed ? `${shown} of ${rows.length} rows` : "";
    if (typed) for (const fold of document.querySelectorAll("#tables .folded")) fold.open = fold.querySelector("tbody tr:not([hidden])") !== null;
  });
}

// What a column holds, under its heading while a mouse points at it or the keyboard is on it.
const tip = document.body.appendChild(Object.assign(document.createElement("div"), {id: "tip", hidden: true}));
tip.setAttribute("aria-hidden", "true"); // a screen reader is told the same by aria-describedby
const hide = () => { tip.hidden = true; };
for (const button of document.querySelectorAll("th button[aria-describedby]")) {
  button.removeAttribute("title");
  const show = () => {
    tip.textContent = document.getElementById(button.getAttribute("aria-describedby")).textContent;
    tip.hidden = false;
    const at = button.closest("th").getBoundingClientRect(), own = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - own.width - 8))}px`;
    tip.style.top = `${at.bottom + own.height + 12 < innerHeight ? at.bottom + 6 : at.top - own.height - 6}px`;
  };
  const heading = button.closest("th");
  heading.addEventListener("pointerenter", event => { if (event.pointerType === "mouse") show(); });
  heading.addEventListener("pointerleave", hide);
  button.addEventListener("focus", () => { if (button.matches(":focus-visible")) show(); });
  button.addEventListener("blur", hide);
}
addEventListener("scroll", hide, {capture: true, passive: true});
addEventListener("keydown", event => { if (event.key === "Escape") hide(); });

// Paper cannot be unfolded.
addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
