// The tabs above the panels (ARIA Authoring Practices: tabs with automatic activation).

import { $ } from "./app.js";
import { panels } from "./fragment.js";

export function startTabs(app) {
  const tabs = panels.map((panel) => $(`tab-${panel}`));

  function update() {
    panels.forEach((panel, index) => {
      const isSelected = panel === app.state.panel;
      tabs[index].setAttribute("aria-selected", isSelected);
      tabs[index].tabIndex = isSelected ? 0 : -1;
      $(`panel-${panel}`).hidden = !isSelected;
    });
  }

  function open(panel) {
    app.state.panel = panel;
    update();
    app.isOpened = true;
    app.emit("panel");
    app.isOpened = false;
  }

  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => open(panels[index]));
    tab.addEventListener("keydown", (event) => {
      const last = tabs.length - 1;
      const targets = {
        ArrowLeft: index ? index - 1 : last, ArrowRight: index < last ? index + 1 : 0,
        Home: 0, End: last,
      };
      if (!(event.key in targets)) return;
      event.preventDefault();
      open(panels[targets[event.key]]);
      tabs[targets[event.key]].focus();
    });
  });

  app.on("state", update);
  update();
}
