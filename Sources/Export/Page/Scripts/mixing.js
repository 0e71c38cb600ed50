// Arithmetic with kept faces: a + factor · (b − c).

import { $ } from "./app.js";

export function startMixing(app) {
  const terms = [0, 1, 2];

  /** The mixed face; null with fewer than two kept faces. */
  function mixedFace() {
    const { kept, mix } = app.state;
    if (kept.length < 2) return null;
    return { kind: "mix", factor: mix.factor, of: mix.of.map((index) => kept[index].face) };
  }

  /** Replaces numbers of faces that are no longer kept. */
  function repair() {
    const { kept, mix } = app.state;
    const last = Math.max(0, kept.length - 1);
    mix.of = mix.of.map((index) => Math.min(index, last));
  }

  function update() {
    repair();
    const { kept, mix } = app.state;
    const face = mixedFace();
    $("mix-empty").hidden = face !== null;
    $("mix-form").hidden = face === null;
    for (const term of terms) {
      const name = (_, index) => new Option(`${index + 1} · ${app.keptName(index)}`, index);
      $(`mix-${term}`).replaceChildren(...kept.map(name));
      $(`mix-${term}`).value = mix.of[term];
    }
    $("mix-factor").value = mix.factor;
    $("mix-value").textContent = withSign(mix.factor);
    $("mix-sign").textContent = `${mix.factor < 0 ? "−" : "+"} ${Math.abs(mix.factor)} (`;
    if (!face || $("panel-mix").hidden) return;
    for (const term of terms) app.paint($(`mix-face-${term}`), kept[mix.of[term]].face);
    app.paint($("mix-result"), face);
  }

  function change() {
    update();
    app.show(mixedFace());
  }

  for (const term of terms) {
    $(`mix-${term}`).addEventListener("change", (event) => {
      app.state.mix.of[term] = Number(event.target.value);
      change();
    });
  }
  $("mix-factor").addEventListener("input", (event) => {
    app.state.mix.factor = Math.round(event.target.valueAsNumber * 100) / 100;
    change();
  });

  app.on("kept names state", update);
  app.on("panel", () => {
    update();
    // A tab that is opened by hand shows its own face.
    if (app.state.panel === "mix" && app.isOpened && mixedFace()) app.show(mixedFace());
  });
}

function withSign(value) {
  return value < 0 ? `−${-value}` : `+${value}`;
}
