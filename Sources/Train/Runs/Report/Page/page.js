
"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const axis = figures.axis ?? "step";
  const colours = ["blue", "orange", "green", "violet", "pink", "teal"].map((name) => `var(--${name})`);
  const number = (value, digits = 4) =>
    value === null || value === undefined ? "–"
      : Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-5)
        ? value.toExponential(2).replace("e+", "e")
        : String(Number(value.toPrecision(digits)));
  const whole = (value) => value.toLocaleString("en-US");

  function element(parent, name, text, attributes = {}) {
    const made = document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function shape(parent, name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) {
      // The page's policy ignores style attributes, but not styles that its script sets.
      if (key === "style") made.style.cssText = attributes[key];
      else made.setAttribute(key, attributes[key]);
    }
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  // About `count` round values from low to high.
  function ticks(low, high, count, isWhole) {
    const rough = (high - low) / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
    if (isWhole) step = Math.max(1, Math.round(step));
    const values = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
      values.push(Number((k * step).toPrecision(12)));
    }
    return values;
  }

  // The range of the vertical axis. A few high spikes are cut off if they would flatten the rest.
  function extent(chart) {
    if (chart.range) return { low: chart.range[0], high: chart.range[1], cut: null };
    const means = chart.lines.flatMap((line) => line.y).filter((y) => y !== null);
    const lows = chart.lines.flatMap((line) => line.low ?? line.y).filter((y) => y !== null);
    const highs = chart.lines.flatMap((line) => line.high ?? line.y).filter((y) => y !== null);
    const sorted = [...means].sort((a, b) => a - b);
    const usual = sorted[Math.floor((sorted.length - 1) * 0.95)];
    let low = Math.min(...lows);
    let high = Math.max(...highs);
    let cut = null;
    if (usual > 0 && high > 4 * usual) {
      cut = high;
      high = Math.max(usual * 2, sorted[Math.floor((sorted.length - 1) * 0.99)] * 1.05);
      if (high >= cut) { high = cut; cut = null; }
    }
    if (low > 0 && low < high * 0.6) low = 0;
    if (low === high) { low = Math.min(0, 2 * low); high = Math.max(low === 0 && high === 0 ? 1 : 0, 1.6 * high); }
    return { low, high: high + (high - Math.max(low, 0)) * (cut === null ? 0.04 : 0), cut };
  }

  const ruler = document.createElement("canvas").getContext("2d");
  ruler.font = "12px system-ui";

  function draw(figure, chart) {
    const old = figure.querySelector("svg");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const width = Math.max(200, figure.querySelector(".plot").clientWidth);
    const height = 220;
    const { low, high, cut } = extent(chart);
    const values = ticks(low, high, 5, false);
    const labels = values.map((value) => number(value, 6));
    const left = Math.ceil(Math.max(...labels.map((label) => ruler.measureText(label).width))) + 12;
    const right = 10, top = 12, bottom = 26;
    // All diagrams of a page share their axis of steps.
    const [first, last] = [0, Math.max(1, figures.last)];
    const place = (x) => left + (x - first) / (last - first) * (width - left - right);
    const level = (y) => top + (high - y) / (high - low) * (height - top - bottom);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${chart.title}: ${chart.lines.map((line) =>
      `${line.name} ${number(line.y.at(-1))}`).join(", ")} at ${axis} ${whole(figures.last)}`);
    values.forEach((value, k) => {
      const y = Math.round(level(value)) + 0.5;
      shape(svg, "line", { class: "grid", x1: left, x2: width - right, y1: y, y2: y });
      shape(svg, "text", { x: left - 7, y: y + 4, "text-anchor": "end" }, labels[k]);
    });
    const steps = ticks(first, last, Math.max(2, Math.floor((width - left) / 95)), true);
    for (const step of steps) {
      const text = whole(step);
      const half = ruler.measureText(text).width / 2;
      const x = Math.min(width - half - 1, Math.max(half + 1, place(step)));
      shape(svg, "line", { class: "grid", x1: place(step), x2: place(step), y1: height - bottom, y2: height - bottom + 4 });
      shape(svg, "text", { x, y: height - 7, "text-anchor": "middle" }, text);
    }
    const clip = `clip-${chart.id}`;
    shape(shape(svg, "clipPath", { id: clip }), "rect",
      { x: left - 4, y: top - 4, width: width - left - right + 8, height: height - top - bottom + 8 });
    const area = shape(svg, "g", { "clip-path": `url(#${clip})` });
    for (const mark of figures.marks) {
      if (mark.step < first || mark.step > last) continue;
      const x = Math.round(place(mark.step)) + 0.5;
      const line = shape(area, "line", { class: "mark", x1: x, x2: x, y1: top, y2: height - bottom });
      shape(line, "title", {}, `${mark.name} at step ${whole(mark.step)}`);
    }
    chart.lines.forEach((line, k) => {
      const colour = colours[k % colours.length];
      const at = (x, y) => `${place(x).toFixed(1)},${level(y).toFixed(1)}`;
      if (line.low) {
        const there = line.x.map((x, i) => at(x, line.high[i]));
        const back = line.x.map((x, i) => at(x, line.low[i])).reverse();
        shape(area, "polygon", { class: "band", points: there.concat(back).join(" "), style: `fill:${colour}` });
      }
      if (line.x.length > 1) {
        // If there are more lines than colours, the further ones are dashed.
        const dash = k < colours.length ? "" : `;stroke-dasharray:${2 + 3 * Math.floor(k / colours.length)} 3`;
        shape(area, "polyline", {
          class: "curve", points: line.x.map((x, i) => at(x, line.y[i])).join(" "), style: `stroke:${colour}${dash}` });
      }
      // Mark each value with a dot if there are only a few.
      if (line.x.length <= 24) {
        line.x.forEach((x, i) => shape(area, "circle",
          { cx: place(x).toFixed(1), cy: level(line.y[i]).toFixed(1), r: 3, style: `fill:${colour}` }));
      }
    });
    figure.querySelector(".cut").textContent =
      cut === null ? "" : `Cut off at ${number(high, 3)}; the maximum is ${number(cut)}.`;
    if (old) old.replaceWith(svg); else figure.querySelector(".plot").append(svg);
    svg.addEventListener("pointermove", (event) => point(event, figure, chart, svg, { place, first, last, left, right, width, top, height, bottom }));
    svg.addEventListener("pointerleave", () => {
      figure.querySelector(".tip")?.remove();
      svg.querySelector(".cursor")?.remove();
    });
  }

  function point(event, figure, chart, svg, geometry) {
    const box = svg.getBoundingClientRect();
    const { place, first, last, left, right, width, top, height, bottom } = geometry;
    const share = ((event.clientX - box.left) * width / box.width - left) / (width - left - right);
    const wanted = first + Math.min(1, Math.max(0, share)) * (last - first);
    const nearest = (line) => line.x.reduce((best, x, i) =>
      Math.abs(x - wanted) < Math.abs(line.x[best] - wanted) ? i : best, 0);
    const step = chart.lines[0].x[nearest(chart.lines[0])];
    svg.querySelector(".cursor")?.remove();
    shape(svg, "line", { class: "cursor", x1: place(step), x2: place(step), y1: top, y2: height - bottom });
    figure.querySelector(".tip")?.remove();
    const tip = element(figure, "div", undefined, { class: "tip" });
    const epoch = figures.stepsPerEpoch ? ` · epoch ${number(step / figures.stepsPerEpoch, 3)}` : "";
    element(tip, "div", `${axis} ${whole(step)}${epoch}`);
    chart.lines.forEach((line, k) => {
      const row = element(tip, "div");
      element(row, "span", "■ ").style.color = colours[k % colours.length];
      row.append(`${line.name} ${number(line.y[nearest(line)])}`);
    });
    const outer = figure.getBoundingClientRect();
    const x = box.left - outer.left + place(step) * box.width / width;
    tip.style.left = `${Math.max(4, x + 12 + tip.offsetWidth > outer.width ? x - 12 - tip.offsetWidth : x + 12)}px`;
    tip.style.top = `${box.top - outer.top + 8}px`;
  }

  const charts = document.getElementById("charts");
  figures.charts.forEach((chart, id) => {
    chart.id = id;
    const figure = element(charts, "figure");
    element(figure, "h3", chart.title);
    if (chart.hint) element(figure, "p", chart.hint, { class: "hint" });
    const legend = element(figure, "div", undefined, { class: "legend" });
    chart.lines.forEach((line, k) => {
      const item = element(legend, "span");
      element(item, "i").style.background = colours[k % colours.length];
      item.append(`${line.name} `);
      element(item, "b", number(line.y.at(-1)));
    });
    element(figure, "div", undefined, { class: "plot" });
    element(figure, "p", "", { class: "note cut" });
    new ResizeObserver(() => draw(figure, chart)).observe(figure.querySelector(".plot"));
  });

  // Sample sheets: the slider selects the one that is shown.
  const sheets = [...document.querySelectorAll(".sheets img")];
  const slider = document.getElementById("epoch");
  if (!slider) return;
  const strip = document.getElementById("strip");
  const show = (index) => {
    slider.value = index;
    sheets.forEach((sheet, k) => { sheet.hidden = k !== index; });
    document.getElementById("shown").textContent = `epoch ${sheets[index].dataset.epoch}`;
  };
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  let timer = null;
  const play = document.getElementById("play");
  const stop = () => { clearInterval(timer); timer = null; play.textContent = "▶"; play.ariaLabel = "Play"; };
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (Number(slider.value) === sheets.length - 1) show(0);
    play.textContent = "❚❚";
    play.ariaLabel = "Pause";
    timer = setInterval(() => {
      const next = Number(slider.value) + 1;
      if (next >= sheets.length) return stop();
      show(next);
    }, Math.max(120, Math.min(600, 8000 / sheets.length)));
  });

  // The strip: eight latents down, and across as many epochs as fit.
  const side = Number(document.querySelector(".faces").dataset.side);
  const gap = 2;
  let chosen = [];
  async function drawStrip() {
    const room = strip.parentElement.clientWidth;
    const cell = Math.min(64, Math.max(36, Math.floor(room / 9) - gap));
    const columns = Math.min(sheets.length, Math.max(2, Math.floor((room + gap) / (cell + gap))));
    chosen = Array.from({ length: columns }, (_, k) => Math.round(k * (sheets.length - 1) / (columns - 1)));
    await Promise.all(chosen.map((index) => sheets[index]).map((sheet) => sheet.complete ||
      new Promise((done) => { sheet.onload = sheet.onerror = done; })));
    const dense = Math.max(1, window.devicePixelRatio || 1);
    const [width, height] = [columns * (cell + gap) - gap, 8 * (cell + gap) - gap];
    strip.style.width = `${width}px`;
    strip.style.height = `${height}px`;
    strip.width = Math.round(width * dense);
    strip.height = Math.round(height * dense);
    const context = strip.getContext("2d");
    context.scale(dense, dense);
    context.imageSmoothingQuality = "high";
    const faces = Math.floor((sheets[0].naturalWidth - 2) / (side + 2));
    chosen.forEach((index, column) => {
      for (let row = 0; row < 8; row++) {
        const [x, y] = [row % faces * (side + 2) + 2, Math.floor(row / faces) * (side + 2) + 2];
        context.drawImage(sheets[index], x, y, side, side, column * (cell + gap), row * (cell + gap), cell, cell);
      }
    });
    const names = document.getElementById("strip-epochs");
    names.replaceChildren();
    // Label every column, or fewer of them if the labels would touch.
    const widest = ruler.measureText(sheets.at(-1).dataset.epoch).width + 8;
    const every = Math.ceil(widest / (cell + gap));
    chosen.forEach((index, column) => {
      const isNamed = (columns - 1 - column) % every === 0;
      element(names, "span", isNamed ? sheets[index].dataset.epoch : "").style.width = `${cell + gap}px`;
    });
  }
  strip.addEventListener("click", (event) => {
    const column = Math.floor(event.offsetX / strip.clientWidth * chosen.length);
    stop();
    show(chosen[Math.min(chosen.length - 1, Math.max(0, column))]);
  });
  new ResizeObserver(drawStrip).observe(strip.parentElement);
})();
