"""A headless Chromium, driven by its own protocol (Chrome DevTools Protocol)."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE = 120.0

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
"""The program; empty where there is none."""


class Browser:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []  # of the browser about pages, such as what their policy forbids
        self._loaded = asyncio.Event()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Take in what the browser says, until it goes."""
        async for message in self._socket:
            said = message.json()
            match said:
                case {"id": number}:
                    self._answers.pop(number).set_result(said)
                case {"method": "Page.loadEventFired"}:
                    self._loaded.set()
                case {"method": "Log.entryAdded", "params": {"entry": entry}}:
                    self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
                case {"method": "Runtime.exceptionThrown"}:
                    self.complaints.append(str(said["params"]))

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What a method of the protocol returns."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE):
            said = await answer
        assert "error" not in said, said
        found: dict[str, Any] = said["result"]
        return found

    async def look_as(self, width: int, scheme: str) -> None:
        """Be so wide, and dark or light."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.ask("Emulation.setEmulatedMedia", features=features)

    async def go(self, address: str) -> None:
        """Open a page, and wait until all of it is there."""
        self._loaded.clear()
        await self.ask("Page.navigate", url=address)
        async with asyncio.timeout(PATIENCE):
            await self._loaded.wait()

    async def value(self, expression: str) -> Any:
        """What JavaScript says of the page; it runs though the page's policy forbids all of its own."""
        said = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return said["result"].get("value")

    async def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            await self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9)

    async def picture(self, path: Path) -> None:
        """Keep how the whole page looks."""
        size = (await self.ask("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 3000), "scale": 1}
        shot = await self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    """A tab of a browser of its own, which keeps all in a folder and calls nobody."""
    switches = ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking")
    more = ("disable-sync", "disable-component-update", "no-proxy-server", "remote-debugging-port=0")
    arguments = [f"--{switch}" for switch in (*switches, *more, f"user-data-dir={folder}")]
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *arguments,
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        port = await _port(process)
        async with aiohttp.ClientSession() as session:
            async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
                where = (await answer.json(content_type=None))["webSocketDebuggerUrl"]
            async with session.ws_connect(where, max_msg_size=0) as socket:
                tab = Browser(socket)
                listening = asyncio.create_task(tab.listen())
                for domain in ("Page", "Log", "Runtime"):
                    await tab.ask(f"{domain}.enable")
                yield tab
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        process.terminate()
        await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        async for line in process.stderr:
            if found := re.search(rb"DevTools listening on ws://127\.0\.0\.1:(\d+)/", line):
                return int(found[1])
    raise AssertionError("Chromium did not start")
