"""How fast and how large Slipway is: ``python -m benchmarks`` prints figures as JSON."""
