"""``/metrics``, as Prometheus collects it."""
