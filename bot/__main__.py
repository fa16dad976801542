"""`python -m bot`: the same as `slipway`."""

from bot.cli import main

main()
