// Starts the page: checks what it holds, starts the engine, draws the first face, then the rest.

import { startAbout } from "./about.js";
import { $, App } from "./app.js";
import { defaultState, formatFragment, parseFragment } from "./fragment.js";
import { startKept } from "./kept.js";
import { RandomLatents } from "./latents.js";
import { startMixing } from "./mixing.js";
import { readFacts, readFile, readLayers } from "./model.js";
import { PageError, fail, notice } from "./notices.js";
import { startPlane } from "./plane.js";
import { Pool } from "./pool.js";
import { startStage } from "./stage.js";
import { startTabs } from "./tabs.js";
import { startWalk } from "./walk.js";
import { startWall } from "./wall.js";

/** Milliseconds without a change before the state goes into the address. */
const saveDelay = 300;

async function main() {
  const facts = readFacts();
  const engine = readFile("engine", facts.engineHash, "engine");
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(engine)) {
    throw new PageError(
      "This browser does not run WebAssembly with SIMD. Chrome and Edge from 111, Firefox from 113 " +
        "and Safari from 16.4 do.",
    );
  }
  const weights = readFile("weights", facts.weightsHash, "generator");
  const layers = readLayers(weights);

  const pool = new Pool({ engine, weights, layers, slope: facts.slope }, $("worker").textContent);
  const { instance } = await WebAssembly.instantiate(engine, {});
  const random = new RandomLatents(instance, layers[0].shape[0]);
  const app = new App(facts, pool, random, stateOfAddress(facts));
  await pool.start();

  for (const start of [
    startTabs, startStage, startPlane, startWall, startKept, startMixing, startWalk, startAbout,
  ]) start(app);
  keepAddress(app);

  app.addEventListener("drawn", () => {
    document.documentElement.dataset.state = "ready";
    document.documentElement.dataset.firstFace = Math.round(performance.now());
    pool.grow().then(() => app.emit("workers"));
    app.emit("state");
    app.emit("panel");
  }, { once: true });
  app.show(app.state.face);
}

/** The state that the address holds, or the default. */
function stateOfAddress(facts) {
  const fragment = location.hash.slice(1);
  const fresh = defaultState();
  if (!fragment) return fresh;
  try {
    const { state, model } = parseFragment(fragment);
    if (model && model !== facts.model.slice(0, 12)) {
      notice("This link was made with another generator: its seeds give other faces here.");
    }
    return state;
  } catch (error) {
    console.warn(error);
    notice("This link is damaged, so the page starts afresh.");
    return fresh;
  }
}

/** Keeps the state in the address, and follows an address that is typed or pasted. */
function keepAddress(app) {
  let timer = 0;
  app.saveState = () => {
    clearTimeout(timer);
    const fragment = formatFragment(app.state, app.facts.model);
    try {
      history.replaceState(null, "", `#${fragment}`);
    } catch {
      // If a browser limits how often the address may change, a later change succeeds.
    }
    document.documentElement.dataset.saved = fragment;
  };
  app.on("face kept names panel wall", () => {
    clearTimeout(timer);
    timer = setTimeout(app.saveState, saveDelay);
  });
  addEventListener("hashchange", () => {
    app.state = stateOfAddress(app.facts);
    app.emit("state");
    app.emit("panel");
    app.show(app.state.face);
  });
}

main().catch(fail);
