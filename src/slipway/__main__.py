"""The `slipway` program, and `python -m slipway`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run it. Ctrl-C ends it quietly even while it is loaded, which takes a moment."""
    try:
        from slipway.bot.cli.main import main as program

        program(prog_name="slipway")
    except KeyboardInterrupt:
        sys.exit(130)  # EXIT_INTERRUPTED, whose module may not be there yet


if __name__ == "__main__":
    main()
