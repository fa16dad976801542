"""Shows the process another time than the machine's: so many seconds off as a file says, which may change.

Only where somebody looks at the time of day; what measures how long something takes is left as it is, as when an
administrator sets a machine's clock.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import time_machine

_LOOK_EVERY = 0.05  # seconds


def follow(file: Path) -> None:
    """Keep the clock as far off as the file says, from now on."""
    shown = float(file.read_text())
    clock = time_machine.travel(time.time() + shown, tick=True).start()

    def look() -> None:
        nonlocal shown
        while True:
            time.sleep(_LOOK_EVERY)
            wanted = float(file.read_text())
            if wanted != shown:
                clock.move_to(time.time() + wanted - shown)
                shown = wanted

    threading.Thread(target=look, name="clock", daemon=True).start()
