"""`python -m slipway`: the same as `slipway`."""

from slipway.bot.cli.main import main

main()
