// The stage: the face that is shown, and what can be done with it.

import { $, paintPixels } from "./app.js";
import { download } from "./bytes.js";
import { fileStem, recipeOf, titleOf } from "./faces.js";
import { announce, notice } from "./notices.js";
import { encodeNPY } from "./npy.js";
import { encodePNG, faceTexts } from "./png.js";

export function startStage(app) {
  let isDrawing = false;
  let waits = false;

  // While one face is drawn, only the newest request waits, so the stage keeps up with the user.
  async function draw() {
    waits = true;
    if (isDrawing) return;
    isDrawing = true;
    while (waits) {
      waits = false;
      const { face } = app.state;
      try {
        app.pixels = await app.draw(face, { urgent: true });
      } catch {
        return;
      }
      app.drawnFace = face;
      paintPixels($("face"), app.pixels, app.side);
      app.emit("drawn");
    }
    isDrawing = false;
    $("face").dataset.drawn = titleOf(app.state.face);
  }

  function describe() {
    const { face } = app.state;
    const title = titleOf(face);
    $("face-title").textContent = title;
    $("face-recipe").textContent = recipeOf(face);
    $("face").setAttribute("aria-label", `Face: ${title}`);
    const isKept = app.keptIndex(face) >= 0;
    $("keep").setAttribute("aria-pressed", isKept);
    $("keep").textContent = isKept ? "Kept" : "Keep";
    $("link-field").hidden = true;
  }

  app.on("face", () => {
    describe();
    draw();
  });
  app.on("kept", describe);

  $("keep").addEventListener("click", () => app.toggleKept(app.state.face));

  $("save-png").addEventListener("click", async () => {
    const { face } = app.state;
    const latent = app.latent(face);
    const name = `${fileStem(face)}.png`;
    try {
      const data = await app.draw(face, { urgent: true });
      const image = { data, width: app.side, height: app.side };
      const texts = faceTexts(face, latent, app.facts);
      download(await encodePNG(image, app.channels, texts), name, "image/png");
      announce(`${name} saved.`);
    } catch (error) {
      notice(`${name} could not be made: ${error.message}`);
    }
  });

  $("save-npy").addEventListener("click", () => {
    const { face } = app.state;
    const name = `${fileStem(face)}.npy`;
    download(encodeNPY([app.latent(face)]), name, "application/octet-stream");
    announce(`${name} saved.`);
  });

  $("copy-link").addEventListener("click", async () => {
    app.saveState();
    $("link").value = location.href;
    $("link-field").hidden = false;
    try {
      await navigator.clipboard.writeText(location.href);
      announce("Link copied. It restores this face and everything that you kept.");
    } catch {
      // Browsers keep the clipboard from pages that are not served securely.
      $("link").select();
      announce("Copy the link from the box.");
    }
  });

  describe();
}
