"""Firefox over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), without geckodriver."""

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import time

from websockets.sync.client import connect

BROWSERS = ("firefox-esr", "firefox")


class Firefox:
    """A headless Firefox with one page."""

    def __init__(self, folder):
        path = os.environ.get("FIREFOX") or next(filter(None, map(shutil.which, BROWSERS)), None)
        assert path, "no Firefox: `make test-browser` installs it, or name one in FIREFOX"
        self.log = folder / "firefox.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [path, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port=0"],
                stdout=log, stderr=log, env=os.environ | {"HOME": str(folder)},
            )
        self.exits = contextlib.ExitStack()
        self.socket = self.exits.enter_context(
            connect(self._address() + "/session", max_size=None)
        )
        self.numbers = itertools.count()
        self._send("session.new", {"capabilities": {}})
        self.context = self._send("browsingContext.getTree", {})["contexts"][0]["context"]

    def _address(self):
        for _ in range(300):
            found = re.search(rb"WebDriver BiDi listening on (ws://\S+)", self.log.read_bytes())
            if found:
                return found[1].decode()
            time.sleep(0.2)
        raise AssertionError(self.log.read_text())

    def _send(self, method, parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(timeout=120))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, url):
        self._send(
            "browsingContext.navigate", {"context": self.context, "url": url, "wait": "complete"}
        )

    def evaluate(self, function):
        """The text that a function in the page returns."""
        result = self._send(
            "script.evaluate",
            {
                "expression": f"({function})()",
                "target": {"context": self.context},
                "awaitPromise": True,
            },
        )
        assert result["type"] == "success", result
        return result["result"].get("value")

    def wait_for(self, selector, seconds=60):
        found = f"() => String(document.querySelector({json.dumps(selector)}) !== null)"
        for _ in range(seconds * 5):
            if self.evaluate(found) == "true":
                return
            time.sleep(0.2)
        raise AssertionError(f"{selector} does not appear")

    def close(self):
        self.exits.close()
        self.process.terminate()
        self.process.wait(30)
