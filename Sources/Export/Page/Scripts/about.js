// About: the command for the face that is shown, the model's card, and versions.

import { $ } from "./app.js";
import { commandFor, commandNote } from "./faces.js";

export function startAbout(app) {
  function terms(list, pairs) {
    list.replaceChildren(
      ...pairs.flatMap(([term, text]) => {
        const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
        dt.textContent = term;
        dd.textContent = text;
        return [dt, dd];
      }),
    );
  }

  function update() {
    if ($("panel-about").hidden) return;
    const { facts, pool } = app;
    $("command").textContent = commandFor(app.state.face, facts);
    $("command-note").textContent = commandNote(app.state.face);
    const pace = pool.median ? `${pool.median.toFixed(1)} ms a face` : "not measured yet";
    terms($("versions"), [
      ["Written by", `bollygan-export ${facts.version}`],
      ["Engine", `WebAssembly with SIMD, SHA-256 ${facts.engineHash.slice(0, 12)}`],
      ["Weights", `${facts.storage}, SHA-256 ${facts.weightsHash.slice(0, 12)}`],
      ["Speed here", `${pace}, ${pool.size} worker${pool.size === 1 ? "" : "s"}`],
      ["Privacy", "Everything is computed on this device. The page cannot contact any server."],
    ]);
  }

  terms($("card"), app.facts.card);
  $("card-text").replaceChildren(
    ...app.facts.limits.map((text) => {
      const p = document.createElement("p");
      p.textContent = text;
      return p;
    }),
  );
  app.on("panel face drawn workers", update);
}
