"""A page in Firefox, driven by its Marionette protocol, on a screen in memory where there is none."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NAMES = ("firefox-esr", "firefox")
_SETTINGS = {
    "marionette.port": 0,  # any that is free
    "webgl.force-enabled": True,  # by software, too
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
}
_SECONDS = 90.0


def find_firefox() -> str | None:
    """A Firefox, where there is one and a screen for it: headless it has no WebGL."""
    screen = os.environ.get("DISPLAY") or shutil.which("Xvfb")
    return next((path for name in NAMES if (path := shutil.which(name))), None) if screen else None


class FirefoxPage:
    """A tab of Firefox."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        self._left, self._number = b"", 0
        self._read()  # a greeting
        self.call("WebDriver:NewSession", capabilities={})

    def call(self, command: str, **parameters: Any) -> Any:
        """Call a command of the protocol; returns its value."""
        self._number += 1
        text = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(f"{len(text)}:".encode() + text)
        _, number, error, result = self._read()
        assert number == self._number and error is None, (command, error)
        return result.get("value") if isinstance(result, dict) else result

    def _read(self) -> Any:
        while b":" not in self._left:
            self._more()
        length, _, self._left = self._left.partition(b":")
        while len(self._left) < int(length):
            self._more()
        text, self._left = self._left[: int(length)], self._left[int(length) :]
        return json.loads(text)

    def _more(self) -> None:
        got = self._socket.recv(1 << 20)
        assert got, "Firefox ended"
        self._left += got

    def open(self, path: Path, size: tuple[int, int], wait: str) -> None:
        """Open a file with a window whose content is this large, and wait until an expression is true."""
        self.call("WebDriver:Navigate", url=path.resolve().as_uri())
        frame = self.evaluate("[outerWidth - innerWidth, outerHeight - innerHeight]")
        self.call("WebDriver:SetWindowRect", width=size[0] + frame[0], height=size[1] + frame[1])
        end = time.monotonic() + _SECONDS
        while not self.evaluate(f"Boolean({wait})"):
            assert time.monotonic() < end, self.evaluate("document.body.innerText")
            time.sleep(0.05)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression."""
        return self.call("WebDriver:ExecuteScript", script=f"return ({expression});", args=[])

    def click(self, selector: str) -> None:
        """Click on an element."""
        found = self.call("WebDriver:FindElement", using="css selector", value=selector)
        self.call("WebDriver:ElementClick", id=next(iter(found.values())))

    def screenshot(self) -> NDArray[np.uint8]:
        """(H, W, 3) what the window shows when all that was asked to be drawn is drawn."""
        wait = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(1)));"
        self.call("WebDriver:ExecuteAsyncScript", script=wait, args=[])
        data = self.call("WebDriver:TakeScreenshot", full=False)
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    def close(self) -> None:
        """End Firefox."""
        self.call("Marionette:Quit", flags=["eForceQuit"])
        self._socket.close()


@contextmanager
def firefox_page(firefox: str, profile: Path) -> Iterator[FirefoxPage]:
    """Firefox with one tab, which ends with the block."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _SETTINGS.items()]
    profile.mkdir(parents=True)
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    with _screen() as screen:
        process = subprocess.Popen(
            [firefox, "--profile", str(profile), "--no-remote", "--marionette"],
            env={**os.environ, "DISPLAY": screen, "HOME": str(profile)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port, end = profile / "MarionetteActivePort", time.monotonic() + _SECONDS
            while not (port.is_file() and port.read_text().strip()):
                assert process.poll() is None and time.monotonic() < end, "Firefox did not start"
                time.sleep(0.1)
            page = FirefoxPage(int(port.read_text()))
            yield page
            page.close()
            process.wait(20)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextmanager
def _screen() -> Iterator[str]:
    """The screen that there is, or one in memory."""
    if "DISPLAY" in os.environ:
        yield os.environ["DISPLAY"]
        return
    into, out = os.pipe()
    command = ["Xvfb", "-displayfd", str(out), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(out,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(out)
    try:
        with os.fdopen(into) as told:
            number = told.readline().strip()  # when it is ready
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
