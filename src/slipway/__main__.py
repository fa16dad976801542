"""`python -m slipway`: the same as `slipway`."""

from slipway.bot.cli import main

main()
