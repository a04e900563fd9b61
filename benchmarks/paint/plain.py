"""The baseline: a plain table in which a script replaces one row, or all rows."""

from benchmarks.paint.trace import MARK

ROW, ALL = "replaceRow", "replaceAll"
PAGE = """<!doctype html><title>Plain table</title>
<style>table { border-collapse: collapse } td { padding: 6px; border-bottom: 1px solid #ccc }</style>
<table><tbody id="rows"></tbody></table>
<script>
const rows = document.getElementById("rows");
const states = Array(%(rows)d).fill("ok");
const cells = (n) => Array.from({ length: 13 }, (_, column) => `<td>${column ? `${states[n]} ${column}` : n}</td>`);
const row = (n) => `<tr id="row-${n}">${cells(n).join("")}</tr>`;
const all = () => states.map((_, n) => row(n)).join("");
rows.innerHTML = all();
function change(n, paint) {
  performance.mark("%(mark)s");
  states[n] = states[n] === "ok" ? "fault" : "ok";
  requestAnimationFrame(paint);
}
const replaceRow = (n) => change(n, () => { document.getElementById(`row-${n}`).outerHTML = row(n); });
const replaceAll = (n) => change(n, () => { rows.innerHTML = all(); });
</script>"""


def page(rows: int) -> str:
    return PAGE % {"rows": rows, "mark": MARK}
