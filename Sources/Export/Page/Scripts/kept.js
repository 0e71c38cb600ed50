// The kept faces: a click shows one; each can be renamed and removed.

import { $ } from "./app.js";
import { formatFace, titleOf } from "./faces.js";
import { nameLimit } from "./fragment.js";

export function startKept(app) {
  const list = $("kept-list");

  function item(kept, index) {
    const { face } = kept;
    const li = document.createElement("li");
    const show = document.createElement("button");
    show.type = "button";
    show.className = "show";
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = app.side;
    show.append(canvas);
    show.addEventListener("click", () => app.show(face));

    const name = document.createElement("input");
    name.type = "text";
    name.maxLength = nameLimit;
    name.value = kept.name;
    name.placeholder = titleOf(face);
    name.setAttribute("aria-label", `Name of kept face ${index + 1}`);
    name.addEventListener("input", () => {
      kept.name = name.value;
      app.emit("names");
    });

    const letGo = document.createElement("button");
    letGo.type = "button";
    letGo.className = "quiet";
    letGo.textContent = "×";
    letGo.addEventListener("click", () => {
      app.letGo(app.state.kept.indexOf(kept));
      // The keyboard focus moves to the next face.
      const rest = list.querySelectorAll(".quiet");
      (rest[Math.min(index, rest.length - 1)] ?? $("keep")).focus();
    });

    li.append(show, name, letGo);
    app.paint(canvas, face);
    return li;
  }

  function build() {
    list.replaceChildren(...app.state.kept.map(item));
    $("kept-empty").hidden = app.state.kept.length > 0;
    list.hidden = app.state.kept.length === 0;
    label();
  }

  function label() {
    const current = formatFace(app.state.face);
    [...list.children].forEach((li, index) => {
      const name = app.keptName(index);
      const show = li.querySelector(".show");
      show.setAttribute("aria-label", `Show ${name}`);
      show.setAttribute("aria-current", formatFace(app.state.kept[index].face) === current);
      li.querySelector(".quiet").setAttribute("aria-label", `Let ${name} go`);
    });
  }

  for (const button of document.querySelectorAll(".keep-random")) {
    button.addEventListener("click", () => {
      for (let i = 0; i < 4; i++) {
        app.state.kept.push({
          face: { kind: "seed", seed: Math.floor(Math.random() * 10_000) },
          name: "",
        });
      }
      app.emit("kept");
      $("kept").scrollIntoView({ block: "nearest" });
    });
  }

  app.on("kept state", build);
  app.on("face names", label);
  build();
}
