/** The page's own script: values under the pointer, and the filter of the completions. Nothing else needs it. */
export const SCRIPT = `
for (const svg of document.querySelectorAll("svg[data-chart]")) {
  const { b: [x0, x1, left, right, width], s } = JSON.parse(svg.dataset.chart);
  const box = svg.parentNode.querySelector("output"), cursor = svg.querySelector(".cursor");
  const xs = [...new Set(s.flatMap(([, points]) => points.map(([x]) => x)))];
  const hide = () => { box.hidden = true; cursor.replaceChildren(); };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const frame = svg.getBoundingClientRect();
    const at = x0 + ((((event.clientX - frame.left) / frame.width) * width - left) / (right - left)) * (x1 - x0);
    const x = xs.reduce((best, value) => (Math.abs(value - at) < Math.abs(best - at) ? value : best), xs[0]);
    const lines = s.flatMap(([label, points]) => points.filter(([px]) => px === x).map(([, text]) => (s.length > 1 ? label + "  " : "") + text));
    const px = left + ((x - x0) / (x1 - x0 || 1)) * (right - left);
    cursor.innerHTML = '<line x1="' + px + '" x2="' + px + '" y1="10" y2="184"/>';
    box.textContent = "step " + x + "\\n" + lines.join("\\n");
    box.hidden = false;
    const middle = (px / width) * frame.width;
    box.style.left = (px > width / 2 ? middle - box.offsetWidth - 10 : middle + 10) + "px";
  });
}
for (const button of document.querySelectorAll("[data-filter]"))
  button.addEventListener("click", () => {
    for (const other of button.parentNode.children) other.setAttribute("aria-pressed", String(other === button));
    for (const item of document.querySelectorAll("[data-kind]")) item.hidden = button.dataset.filter !== "" && item.dataset.kind !== button.dataset.filter;
  });
`;
