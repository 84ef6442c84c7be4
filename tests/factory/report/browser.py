"""A page in a real browser, without a server: what it shows, what it asks the network for, what it complains about."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# Runs when the page has loaded; what it finds becomes the page's title.
_PROBE = """
<script>
const wrong = [];
addEventListener("error", event => event.message && wrong.push(event.message), true);
for (const image of document.images) image.loading = "eager";
for (const folded of document.querySelectorAll("details")) folded.open = true;
addEventListener("load", () => {
  for (const image of document.images) if (!image.complete || !image.naturalWidth) wrong.push(image.alt);
  const drawn = [...document.images].filter(image => image.naturalWidth > 0 && image.clientWidth > 0);
  const wide = [...document.querySelectorAll("main *")].filter(
    element => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === "visible"
      && getComputedStyle(element).display !== "inline" && element.clientWidth > 0);
  document.title = "probed" + JSON.stringify({
    images: document.images.length, shown: drawn.length, wrong,
    requests: [...performance.getEntriesByType("resource").map(entry => entry.name),
      ...[...document.querySelectorAll("[src], [href]")].map(element => element.src || element.href),
    ].filter(name => !name.startsWith("data:")),
    too_wide: wide.map(element => element.tagName + " " + element.textContent.slice(0, 40)),
    headings: [...document.querySelectorAll("h1, h2")].map(heading => heading.textContent),
    text: document.body.innerText,
  });
});
</script>
"""


@dataclass(frozen=True)
class Shown:
    """What a browser made of a page: counts of images and of those that it drew, and texts."""

    images: int
    shown: int
    wrong: list[str]
    requests: list[str]
    too_wide: list[str]
    headings: list[str]
    text: str


def find_browser() -> str | None:
    """A browser of the Chromium family, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def open_page(browser: str, page: Path, folder: Path, width: int = 1280) -> Shown:
    """Open a page from its file, with everything in it unfolded; `folder` is for working files."""
    probed = folder / "probed.html"
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{_PROBE}</body>"), encoding="utf-8")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
         f"--window-size={width},900", "--virtual-time-budget=20000", "--dump-dom", probed.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    match = re.search(r"<title>probed(.*?)</title>", done.stdout, re.DOTALL)
    assert match, f"the browser showed nothing (exit code {done.returncode}): {done.stderr[-2000:]}"
    return Shown(**json.loads(unescape(match[1])))
