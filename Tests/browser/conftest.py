"""A browser, pages in it, and what they ask the network for."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser():
    named = os.environ.get("CHROMIUM")
    path = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        pytest.fail("no Chromium: `make test-browser` installs it, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses to run as root.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def explorer(tmp_path_factory, bollygan_export):
    """The page of the bundled generator."""
    path = tmp_path_factory.mktemp("page") / "explore.html"
    bollygan_export(path)
    return path


class Visit:
    """A page that is open, with everything that it reported."""

    def __init__(self, browser, path, fragment="", script=None, state="ready", **options):
        options = {"viewport": {"width": 1300, "height": 950}} | options
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.requests, self.errors = [], []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console", lambda line: line.type == "error" and self.errors.append(line.text)
        )
        if script:
            self.page.add_init_script(script)
        self.page.goto(path.as_uri() + fragment)
        self.page.wait_for_selector(f"html[data-state={state}]", timeout=60_000)

    def text(self, selector):
        return self.page.locator(selector).text_content().strip()

    def download(self, selector):
        with self.page.expect_download() as waiting:
            self.page.click(selector)
        return waiting.value.path().read_bytes(), waiting.value.suggested_filename

    def open(self, panel):
        self.page.click(f"#tab-{panel}")

    def wait_for_drawing(self, title):
        """Waits until the stage shows a face, and nothing newer is being drawn."""
        self.page.wait_for_selector(f'#face[data-drawn="{title}"]', timeout=30_000)

    def wait_for_saving(self, part):
        """Waits until the address contains a text."""
        self.page.wait_for_selector(f'html[data-saved*="{part}"]', timeout=30_000)

    def wait_for_wall(self):
        self.page.wait_for_selector("#wall[data-milliseconds]", timeout=60_000)


@pytest.fixture
def visit(browser):
    """Opens pages and checks, when the test is over, that they kept to themselves."""
    visits = []

    def open_page(path, *arguments, **options):
        visits.append(Visit(browser, path, *arguments, **options))
        return visits[-1]

    yield open_page
    for visit in visits:
        outside = [url for url in visit.requests if not url.startswith(("file:", "blob:", "data:"))]
        files = {url.partition("#")[0] for url in visit.requests if url.startswith("file:")}
        visit.context.close()
        assert not outside
        assert len(files) <= 1
