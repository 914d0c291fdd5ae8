"use strict";
// Regret over evaluations: one chart a table and noise, one line a strategy, its 95 % interval of the mean as a band.
const page = document.getElementById("page"), css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const escape = text => String(text).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const groups = Map.groupBy(data.rows, r => `${r.table}, noise ${r.noise}`), strategies = [...new Set(data.rows.map(r => r.strategy))];
page.innerHTML = `<h1>Regret of search strategies</h1><p>${data.seeds} seeds. Points of accuracy between the best architecture of the table and the chosen one, mean and its 95 % interval, over evaluations. One evaluation is one noisy value of one architecture.</p><div class="pair">${[...groups.keys()].map((g, i) => `<section><h2>${escape(g)}</h2><div class="chart" id="c${i}" role="img" aria-label="${escape(g)}"></div></section>`).join("")}</div><div class="wide"><table><thead><tr><th>table</th><th>noise</th><th class="text">strategy</th><th>evaluations</th><th>spent</th><th>median</th><th>mean</th><th>low</th><th>high</th></tr></thead><tbody>${data.rows.map(r => `<tr><td>${escape(r.table)}</td><td>${r.noise}</td><td class="text">${escape(r.strategy)}</td><td>${r.evaluations}</td><td>${r.spent}</td>${[r.medianRegret, r.meanRegret, r.low, r.high].map(v => `<td>${v.toFixed(2)}</td>`).join("")}</tr>`).join("")}</tbody></table></div>`;
let drawn = [];
function draw() {
  drawn.forEach(d => d.dispose());
  const colors = ["--b", "--d", "--a", "--c", "--soft", "--ink"].map(css), soft = css("--soft"), rule = { lineStyle: { color: css("--line") } };
  drawn = [...groups.values()].map((rows, i) => {
    const chart = echarts.init(document.getElementById("c" + i), null, { renderer: "svg" });
    const of = name => rows.filter(r => r.strategy === name).sort((a, b) => a.evaluations - b.evaluations);
    const band = (name, color, values, more) => ({ type: "line", name, stack: name, data: values, color, symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false }, ...more });
    chart.setOption({ animation: false, grid: { left: 50, right: 10, top: 44, bottom: 42 }, legend: { top: 0, data: strategies, textStyle: { color: soft }, type: "scroll" }, tooltip: { trigger: "axis" }, xAxis: { type: "category", name: "evaluations", nameLocation: "middle", nameGap: 26, data: [...new Set(rows.map(r => r.evaluations))].sort((a, b) => a - b), axisLabel: { color: soft }, axisLine: rule }, yAxis: { type: "value", name: "regret, points", nameLocation: "middle", nameGap: 34, axisLabel: { color: soft }, splitLine: rule }, series: strategies.flatMap((s, k) => [{ type: "line", name: s, data: of(s).map(r => +r.meanRegret.toFixed(3)), color: colors[k % colors.length], showSymbol: true }, band(s + " low", colors[k % colors.length], of(s).map(r => Math.max(0, r.low)), { stack: "band " + s }), band(s + " high", colors[k % colors.length], of(s).map(r => r.high - Math.max(0, r.low)), { stack: "band " + s, areaStyle: { opacity: 0.12 } })]) });
    return chart;
  });
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => drawn.forEach(d => d.resize()));
