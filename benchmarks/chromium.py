"""Headless Chromium over a pipe, with nothing but the standard library.

The DevTools protocol is JSON messages that end in a zero byte, here on the file descriptors 3
(commands) and 4 (answers and events) of the browser (--remote-debugging-pipe).
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--remote-debugging-pipe"),
)


def find_chromium() -> str | None:
    """The browser's command; None where it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


_PATIENCE_S = 60


class Chromium:
    """One page in one browser.

    Args:
        width: of the window in pixels.
        height: of the window.
        watch: keep messages of the console and requests; this takes time of its own.
    """

    def __init__(self, width: int = 1280, height: int = 900, watch: bool = True) -> None:
        command = find_chromium()
        if command is None:
            raise RuntimeError("chromium is not installed (Debian: apt-get install chromium)")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        # above the two numbers that the browser reads and writes, so that none is overwritten
        (to_read, self._to), (self._from, to_write) = _pipe(), _pipe()

        def place() -> None:
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        self._process = subprocess.Popen(
            [
                command,
                *_FLAGS,
                f"--user-data-dir={self._profile.name}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            pass_fds=(3, 4),
            preexec_fn=place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer, self._number = b"", 0
        self.messages: list[str] = []
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=page, flatten=True)
        self._session: str | None = attached["sessionId"]
        for domain in ("Page", *(("Runtime", "Log", "Network") if watch else ())):
            self._call(f"{domain}.enable", self._session)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, path: Path) -> None:
        """Load a file, and wait until it is whole."""
        self._loaded = False
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not self._loaded:
            self._event(self._receive())

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """One command of the protocol to the page."""
        return self._call(method, self._session, **arguments)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression of the page gives, promises awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """One key, such as ArrowRight, on what has the focus."""
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Enter": 13, "End": 35, "Home": 36}
        text = {"text": "\r"} if key == "Enter" else {}
        known = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def screenshot(self, path: Path) -> None:
        """What the window shows, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def _call(self, method: str, session: str | None = None, **arguments: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": arguments}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found
            self._event(answer)

    def _event(self, message: dict[str, Any]) -> None:
        """Keeps errors and warnings, requests to anything but files, and the end of a load."""
        kind, what = message.get("method"), message.get("params", {})
        if kind == "Page.loadEventFired":
            self._loaded = True
        elif kind == "Runtime.exceptionThrown":
            self.messages.append(str(what["exceptionDetails"]))
        elif kind == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
            self.messages.append(str(what["args"]))
        elif kind == "Log.entryAdded":
            self.messages.append(what["entry"]["text"])
        elif kind == "Network.requestWillBeSent":
            url = what["request"]["url"]
            if not url.startswith(("file:", "data:", "about:")):
                self.messages.append(f"request to {url}")

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._from], [], [], _PATIENCE_S)[0]:
                raise RuntimeError(f"chromium said nothing for {_PATIENCE_S} s")
            part = os.read(self._from, 1 << 20)
            if not part:
                raise RuntimeError("chromium ended")
            self._buffer += part
        text, self._buffer = self._buffer.split(b"\0", 1)
        found: dict[str, Any] = json.loads(text)
        return found


def _pipe() -> tuple[int, int]:
    """A pipe whose ends have numbers from 10 on."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]
