"""Measurements for Prometheus. The only module that knows its client library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import prometheus_client
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from slipway.bot.core.measuring.meter import OTHER, Bound, Counter, Gauge, Histogram, Label, Metric
from slipway.bot.core.measuring.metrics import METRICS

MOST_VALUES = 200
"""So many values a label has at most, wherever they come from; further ones count as other."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of Prometheus' text format, as every version of it reads. Source: prometheus.io, exposition formats."""


@dataclass(frozen=True)
class Sample:
    """A gauge's value, and by what it is told apart."""

    gauge: Gauge
    value: float
    labels: tuple[str, ...] = ()


class _Gauges(Collector):
    """Gives what was looked at last."""

    def __init__(self) -> None:
        self.families: tuple[GaugeMetricFamily, ...] = ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self.families


class PrometheusMeter:
    """Fulfils :class:`slipway.bot.core.measuring.meter.Meter` in a registry of its own.

    Args:
        values: what labels may be whose values the configuration or a declaration bounds.
    """

    def __init__(self, values: Mapping[Bound, frozenset[str]]) -> None:
        self._registry = prometheus_client.CollectorRegistry(auto_describe=False)
        self._bounds = _Bounds(values)
        self._counters: dict[Counter, prometheus_client.Counter] = {}
        self._histograms: dict[Histogram, prometheus_client.Histogram] = {}
        for metric in METRICS:
            names = tuple(label.name for label in metric.labels)
            match metric:
                case Counter():
                    self._counters[metric] = prometheus_client.Counter(
                        metric.name, metric.says, names, registry=self._registry
                    )
                case Histogram():
                    self._histograms[metric] = prometheus_client.Histogram(
                        metric.name, metric.says, names, registry=self._registry, buckets=metric.buckets
                    )
                case Gauge():
                    pass  # looked at when it is asked for
        self._begin()
        self._gauges = _Gauges()
        self._registry.register(self._gauges)
        prometheus_client.ProcessCollector(registry=self._registry)

    def _begin(self) -> None:
        """Have the series that begin at 0."""
        begun: list[tuple[Counter | Histogram, Any]] = [*self._counters.items(), *self._histograms.items()]
        for metric, known in begun:
            if metric.from_zero:
                for labels in self._bounds.combinations(metric.labels):
                    known.labels(*labels)

    def count(self, counter: Counter, *labels: str) -> None:
        """Something happened once more."""
        known: Any = self._counters[counter]
        (known.labels(*self._bounds.of(counter, labels)) if labels else known).inc()

    def observe(self, histogram: Histogram, seconds: float, *labels: str) -> None:
        """Something took so many seconds."""
        known: Any = self._histograms[histogram]
        (known.labels(*self._bounds.of(histogram, labels)) if labels else known).observe(seconds)

    def render(self, samples: Iterable[Sample]) -> bytes:
        """All measurements, with what was looked at just now, as text."""
        families: dict[Gauge, GaugeMetricFamily] = {}
        for sample in samples:
            gauge = sample.gauge
            if gauge not in families:
                names = [label.name for label in gauge.labels]
                families[gauge] = GaugeMetricFamily(gauge.name, gauge.says, labels=names)
            families[gauge].add_metric(list(self._bounds.of(gauge, sample.labels)), sample.value)
        self._gauges.families = tuple(families.values())
        return prometheus_client.generate_latest(_WithoutBeginnings(self._registry))


class _WithoutBeginnings:
    """A registry without the moment at which each series began, which would double their number."""

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[prometheus_client.Metric]:
        for family in self._registry.collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


class _Bounds:
    """Keeps labels to the values that they may have."""

    def __init__(self, values: Mapping[Bound, frozenset[str]]) -> None:
        self._values = values
        self._seen: dict[tuple[Metric, Label], set[str]] = {}

    def of(self, metric: Metric, given: tuple[str, ...]) -> tuple[str, ...]:
        """The values of a metric's labels, in their order."""
        return tuple(
            self._value(metric, label, str(value)) for label, value in zip(metric.labels, given, strict=True)
        )

    def combinations(self, labels: Iterable[Label]) -> Iterator[tuple[str, ...]]:
        """All that labels may be together, where their values are known from the start."""
        known = (self._known(label) for label in labels)
        return product(*(sorted(values)[:MOST_VALUES] for values in known))

    def _known(self, label: Label) -> frozenset[str]:
        if isinstance(label.values, Bound):
            return self._values.get(label.values, frozenset())
        return frozenset(each.value for each in label.values)

    def _value(self, metric: Metric, label: Label, value: str) -> str:
        bound = label.values
        if isinstance(bound, Bound):
            allowed = self._values.get(bound)
            if allowed is not None and value not in allowed:
                return OTHER
        elif value not in {each.value for each in bound}:
            return OTHER
        seen = self._seen.setdefault((metric, label), set())
        if value not in seen and len(seen) >= MOST_VALUES:
            return OTHER
        seen.add(value)
        return value
