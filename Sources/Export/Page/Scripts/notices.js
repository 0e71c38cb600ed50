// Sentences about what went wrong, at the top of the page.

/** An error whose message is a sentence for the reader of the page. */
export class PageError extends Error {}

/** Shows a sentence until it is closed. The same sentence is shown once. */
export function notice(text) {
  const list = document.getElementById("notices");
  if ([...list.children].some((item) => item.firstChild.textContent === text)) return;
  const item = document.createElement("li");
  const sentence = document.createElement("span");
  sentence.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet";
  close.textContent = "Dismiss";
  close.addEventListener("click", () => item.remove());
  item.append(sentence, close);
  list.append(item);
}

/** Replaces the page's content with a sentence, because nothing can be drawn. */
export function fail(error) {
  console.error(error);
  const sentence =
    error instanceof PageError ? error.message : `The page failed: ${error?.message ?? error}.`;
  document.getElementById("failure-text").textContent = sentence;
  document.getElementById("failure").hidden = false;
  document.getElementById("explorer").hidden = true;
  document.documentElement.dataset.state = "failed";
}

/** Announces a result, such as a copied link, to everyone including users of screen readers. */
export function announce(text) {
  const status = document.getElementById("status");
  status.textContent = text;
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => (status.textContent = ""), 4000);
}
