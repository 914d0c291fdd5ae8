"use strict";
const page = document.getElementById("page");
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colors = () => ["--a", "--b", "--c", "--d", "--soft"].map(css);
const escape = text => String(text).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const number = n => n == null ? "" : Math.round(n).toLocaleString("en");
const share = n => n == null ? "" : (100 * n).toFixed(1) + " %";
const add = html => page.insertAdjacentHTML("beforeend", html);
const table = (head, rows, kind = "") => `<div class="wide"><table class="${kind}"><thead><tr>${head.map(h => h.startsWith("~") ? `<th class="text">${h.slice(1)}</th>` : `<th>${h}</th>`).join("")}</tr></thead><tbody>${rows.map(r => `<tr>${r.join("")}</tr>`).join("")}</tbody></table></div>`;
const cell = (value, text) => `<td${text ? ' class="text"' : ""}>${value}</td>`;
const charts = [];
const chart = (title, note, make) => { const id = "chart" + charts.length; charts.push([id, make]); return `<section><h2>${title}</h2><p class="note">${note}</p><div class="chart" id="${id}" role="img" aria-label="${title}"></div></section>`; };

const winner = data.models.find(m => m.name === "winner"), compared = data.models.find(m => m.name === "winner-compared") || winner, controls = data.models.filter(m => m.name.startsWith("control-") && m.testAccuracy != null);
const mean = list => list.length ? list.reduce((a, b) => a + b, 0) / list.length : null;
const first = data.stages[0], last = data.stages[data.stages.length - 1];
add(`<h1>${escape(data.title)}</h1><p>${escape(data.id)} &middot; ${escape(data.space)} &middot; ${escape(data.status)}</p>`);
if (data.verdict) add(`<p><b>Verdict</b>: ${escape(data.verdict)}.</p>`);
if (data.finalists) add(`<p class="note">Finalists: ${escape(data.finalists)}.</p>`);
if (data.trivialPredictors.length) add(`<p class="note">Baselines that need no search would have chosen: ${escape(data.trivialPredictors.join("; "))}.</p>`);
const tiles = [];
if (winner) tiles.push([share(winner.testAccuracy), `${data.measuredOn} accuracy of the winner${compared === winner ? "" : ` (${share(compared.testAccuracy)} by the controls' recipe)`}`], [share(mean(controls.map(c => c.testAccuracy))) || "-", `random architectures of about equal cost, mean of ${controls.length}`], [number(winner.macs), `MACs of ${number(data.budget)} allowed`], [number(winner.parameters), "parameters"]);
if (first) tiles.push([`${first.blocksBefore} &rarr; ${last.blocksAfter}`, "candidate blocks, from the first stage to the last"]);
tiles.push(...data.facts.filter(f => ["time at work", "lost to faults", "images forward"].includes(f.key)).map(f => [escape(f.value), f.key]));
add(`<div class="tiles">${tiles.map(([v, t]) => `<div class="tile"><b>${v}</b><span>${t}</span></div>`).join("")}</div>`);

if (data.stages.length) {
  const most = Math.max(...data.stages.map(s => s.blocksBefore));
  add("<h2>Funnel and cost</h2><p class=\"note\">Each stage trains the supernet on more classes, then drops its weakest blocks. Seconds are the units' own clocks.</p>" + table(
    ["stage", "classes", "blocks", "", "images forward", "backward", "MACs", "seconds", "loss", "accuracy"],
    data.stages.map(s => [cell(escape(s.name)), cell(s.classes), cell(`${s.blocksBefore} &rarr; ${s.blocksAfter}`), `<td style="text-align:left"><span class="bar" style="width:${120 * s.blocksBefore / most}px;opacity:.35"></span><br><span class="bar" style="width:${120 * s.blocksAfter / most}px"></span></td>`, cell(number(s.images)), cell(number(s.backwardImages)), cell(s.macs.toExponential(2)), cell(s.seconds.toFixed(1)), cell(s.loss.toFixed(3)), cell(share(s.accuracy))])));
}

if (data.scoredStages.length) {
  add("<h2>Scores of blocks, stage by stage</h2><p class=\"note\">Darker: better within its layer. Hatched: already pruned, with the stage after which it was pruned. Outlined: part of the winner.</p>");
  const names = [...new Set(data.blocks.flat().map(b => b.block))];
  const heat = stage => table([escape(data.scoredStages[stage]), ...data.blocks.map((_, l) => "L" + (l + 1))], names.map(name => [cell(escape(name)), ...data.blocks.map(layer => {
    const block = layer.find(b => b.block === name);
    if (!block) return "<td></td>";
    const scores = layer.map(b => b.scores[stage]).filter(s => s != null), score = block.scores[stage];
    if (score == null) return `<td class="gone" title="${escape(block.reason || "")}">${block.prunedAt == null ? "" : "s" + block.prunedAt}</td>`;
    const low = Math.min(...scores), high = Math.max(...scores), part = high > low ? (score - low) / (high - low) : 1;
    return `<td class="${block.won ? "won" : ""}" style="background:color-mix(in srgb, var(--a) ${Math.round(8 + 62 * part)}%, transparent)" title="${escape(name)}: ${score}">${score.toFixed(3)}</td>`;
  })]), "heat");
  add(`<div class="heats">${data.scoredStages.map((_, s) => heat(s)).join("")}</div>`);
}

const line = (name, points, color, more = {}) => ({ type: "line", name, data: points, color, showSymbol: false, lineStyle: { width: 1.6 }, ...more });
const axis = (name, more = {}) => ({ type: "value", name, nameLocation: "middle", nameGap: 38, scale: true, ...more });
const across = (name, more = {}) => axis(name, { nameGap: 26, scale: false, ...more });
const dashed = (name, points, color) => line(name, points, color, { lineStyle: { width: 1.4, type: "dashed" } });
let html = "";
if (data.rounds.length) html += chart("Training of the supernet", "Loss and accuracy of each stored round over images seen; drops mark stages with more classes.", c => ({ xAxis: across("images"), yAxis: [axis("loss"), axis("accuracy", { position: "right", splitLine: { show: false } })], series: [line("loss", data.rounds.map(r => [r.images, r.loss]), c[0]), line("accuracy", data.rounds.map(r => [r.images, r.accuracy]), c[1], { yAxisIndex: 1 })] }));
const stages = (unit, series) => ({ xAxis: { type: "category", data: data.stages.map(s => s.name) }, yAxis: axis(unit, { scale: false, nameGap: 52 }), series });
if (data.stages.length) html += chart("Cost of the remaining architectures, compared with the target", "Cheapest, mean and most expensive architecture of the blocks remaining after each stage, and the expected cost under the probabilities at its end, in MACs.", c => stages("MACs", [...[["most expensive", "dearestMacs", 4], ["mean", "meanMacs", 0], ["cheapest", "cheapestMacs", 2], ["expected", "expectedMacs", 3]].map(([l, k, i]) => line(l, data.stages.map(s => s[k]), c[i], { showSymbol: true })), dashed("target", data.stages.map(() => data.budget), c[1])]));
// Retrained models that no other one beats in both accuracy and cost; where the controls have a recipe of their own, by that one.
const front = key => { const trained = data.models.filter(m => m.testAccuracy != null && (compared === winner || m.name.startsWith("control-") || m.name === "winner-compared") && m[key] != null).sort((a, b) => a[key] - b[key] || b.testAccuracy - a.testAccuracy); let best = -1; return trained.filter(m => m.testAccuracy > best && (best = m.testAccuracy, true)); };
const point = (m, key, accuracy) => ({ name: m.architecture, value: [m[key], m[accuracy]] });
const tip = p => `${escape(p.name)}: ${p.value[0].toLocaleString("en")}, ${share(p.value[1])}`;
const dots = (name, models, key, accuracy, color, symbolSize, more = {}) => ({ type: "scatter", name, color, symbolSize, data: models.filter(m => m[key] != null && m[accuracy] != null).map(m => point(m, key, accuracy)), ...more });
const scatter = (title, note, key, unit) => chart(title, note, c => ({ tooltip: { trigger: "item", formatter: tip }, xAxis: across(unit, { scale: true }), yAxis: axis(`${data.measuredOn} accuracy`), series: [
  dots("winner", data.models.filter(m => m.name === "winner"), key, "testAccuracy", c[1], 16, { symbol: "diamond", z: 3 }), dots("other models, retrained", data.models.filter(m => m.name !== "winner"), key, "testAccuracy", c[4], 10),
  { ...dashed("best accuracy at this cost or less", front(key).map(m => point(m, key, "testAccuracy")), c[2]), step: "end" }] }));
if (data.targetMilliseconds && data.stages.some(s => s.expectedMilliseconds != null)) html += chart("Expected latency, against the target", `Expectation under the probabilities at the end of each stage, by the table of ${escape(data.predictionDevice)}.`, c => stages("milliseconds", [line("expected", data.stages.map(s => s.expectedMilliseconds), c[3], { showSymbol: true }), dashed("target", data.stages.map(() => data.targetMilliseconds), c[1])]));
if (data.models.length) {
  if (winner) {
    html += scatter("Retrained models: accuracy against MACs", `Each trained stand-alone and measured on the ${data.measuredOn} set.`, "macs", "MACs");
    html += scatter("Retrained models: accuracy against parameters", "The same models.", "parameters", "parameters");
  }
  const candidates = data.models.filter(m => m.supernetAccuracy != null);
  if (candidates.length) html += chart("Candidates in the supernet", "Accuracy on validation images with the supernet's shared weights: it ranks candidates and is not the accuracy of a trained model.", c => ({ tooltip: { trigger: "item", formatter: tip }, xAxis: across("MACs", { scale: true }), yAxis: axis("supernet accuracy"), series: [
    dots("winner", candidates.filter(m => m.won), "macs", "supernetAccuracy", c[1], 16, { symbol: "diamond", z: 3 }), dots("other candidates", candidates.filter(m => !m.won), "macs", "supernetAccuracy", c[0], 8)] }));
  if (data.models.some(m => m.milliseconds != null)) html += scatter("Retrained models: accuracy against measured latency", `Median of one pass on ${escape(data.latencyDevice)}; the fastest and most accurate models are at the top left.`, "milliseconds", "milliseconds");
}
const bars = (names, values, unit, color, more = {}) => ({ legend: { show: false }, xAxis: { type: "category", data: names, axisLabel: { rotate: names.length > 8 ? 60 : 0, interval: names.length > 40 ? "auto" : 0 } }, yAxis: axis(unit, { scale: false, ...more }), series: [{ type: "bar", name: unit, data: values, color }] });
if (data.difficulty.length) html += chart("Class difficulty, easy to hard", data.isOrdered ? "Measured by a small proxy network; the curriculum adds classes from the left." : "Measured by a small proxy network. The order is not reliable, so the search continued with random images of all classes.", c => bars(data.easyToHard.map(i => data.classes[i]), data.easyToHard.map(i => data.difficulty[i]), "difficulty", c[0]));
if (data.retraining.length) { const runs = [...new Set(data.retraining.map(r => r.run))]; html += chart("Retraining from scratch", "Training loss per segment for every retrained model.", c => ({ xAxis: across("segment"), yAxis: axis("loss"), series: runs.map((run, i) => line(run, data.retraining.filter(r => r.run === run).map(r => [r.segment + 1, r.loss]), run === "winner" ? c[1] : i < 3 ? c[[0, 2, 3][i % 3]] : c[4])) })); }
if (data.testPerClass.length) html += chart("Test accuracy by class", "The winner's, in the order of the data set.", c => bars(data.classes, data.testPerClass, "accuracy", c[2], { min: 0, max: 1 }));
add(`<div class="pair">${html}</div>`);

const timed = data.models.some(m => m.milliseconds != null || m.predictedMilliseconds != null), ms = v => v == null ? "" : v.toFixed(3);
if (data.models.length) add("<h2>Models</h2>" + (data.targetMilliseconds ? `<p class="note">Latency limit: ${data.targetMilliseconds} ms according to the table for ${escape(data.predictionDevice)}.</p>` : "") + table(["model", "~architecture", "MACs", "parameters", `${data.measuredOn} accuracy`, "supernet accuracy", ...(timed ? [`measured ms${data.latencyDevice ? ` (${escape(data.latencyDevice)})` : ""}`, `predicted ms${data.predictionDevice ? ` (${escape(data.predictionDevice)})` : ""}`] : [])], data.models.map(m => [cell(escape(m.name) + (m.won && m.name !== "winner" ? " <b>(won)</b>" : "")), cell(`<code>${escape(m.architecture)}</code>`, true), cell(number(m.macs)), cell(number(m.parameters)), cell(share(m.testAccuracy)), cell(share(m.supernetAccuracy)), ...(timed ? [cell(ms(m.milliseconds)), cell(ms(m.predictedMilliseconds))] : [])])));
if (winner && !data.confusion.length) add(`<p class="note">No confusion matrix of ${data.classes.length} classes is stored; create it with <code>danas evaluate ${escape(data.id)}</code>.</p>`);
if (data.confusion.length && data.confusion.length <= 100) {
  const sums = data.confusion.map(row => Math.max(1, row.reduce((a, b) => a + b, 0)));
  add("<h2>Confusion matrix of the winner</h2><p class=\"note\">Rows: true class; columns: class predicted by the winner; values are shares of the row.</p>" + table(["", ...data.classes.map((_, i) => String(i))], data.confusion.map((row, t) => [cell(`${t} ${escape(data.classes[t])}`), ...row.map((n, p) => `<td class="${t === p ? "won" : ""}" style="background:color-mix(in srgb, var(${t === p ? "--c" : "--b"}) ${Math.round(80 * n / sums[t])}%, transparent)" title="${escape(data.classes[t])} taken for ${escape(data.classes[p])}: ${n}">${n ? Math.round(100 * n / sums[t]) : ""}</td>`)]), "heat confusion"));
}

if (data.winner.length) add(`<h2>The winner, layer by layer</h2><div class="chain">${data.winner.map(l => `<div class="${l.block === "skip" ? "skip" : l.block.includes("se") ? "se" : ""}"><b>L${l.layer} ${escape(l.block)}</b><small>${l.inChannels} &rarr; ${l.outChannels}, ${l.outResolution} x ${l.outResolution}${l.stride > 1 ? ", stride " + l.stride : ""}</small><small>${number(l.macs)} MACs</small></div>`).join("")}</div>`);
add("<h2>Lost work</h2>" + (data.lost.length ? table(["~cause", "times", "seconds"], data.lost.map(l => [cell(escape(l.cause), true), cell(l.times), cell(l.seconds.toFixed(1))])) : "<p>None.</p>"));
add("<h2>Provenance</h2>" + table(["", ""], data.facts.map(f => [cell(escape(f.key)), cell(escape(f.value), true)]), "plain") + `<details><summary>Configuration</summary><pre>${escape(data.configuration)}</pre></details>`);
add("<footer>Generated by DaNas.Actors from the journal of the search and from measurements of its models.</footer>");

// On a narrow screen a row becomes a card, each value behind its column's name.
document.querySelectorAll("table:not(.heat)").forEach(t => { const heads = [...t.tHead.rows[0].cells].map(h => h.textContent); [...t.tBodies[0].rows].forEach(r => [...r.cells].forEach((c, i) => c.dataset.label = heads[i])); });

// Drawn as SVG, in the colours of the page; again when those or the width change.
let drawn = [];
function draw() {
  drawn.forEach(d => d.dispose());
  const soft = css("--soft"), rule = css("--line"), styled = a => ({ nameTextStyle: { color: soft }, axisLabel: { color: soft, hideOverlap: true, ...a.axisLabel }, axisLine: { lineStyle: { color: rule } }, splitLine: { lineStyle: { color: rule }, ...a.splitLine } });
  drawn = charts.map(([id, make]) => {
    const option = make(colors()), d = echarts.init(document.getElementById(id), null, { renderer: "svg" });
    for (const key of ["xAxis", "yAxis"]) option[key] = [option[key]].flat().map(a => ({ ...a, ...styled(a) }));
    d.setOption({ animation: false, grid: { left: 8, right: 8, top: 34, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "all" }, legend: { top: 0, textStyle: { color: soft }, type: "scroll" }, tooltip: { trigger: "axis" }, ...option });
    return d;
  });
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => drawn.forEach(d => d.resize()));
