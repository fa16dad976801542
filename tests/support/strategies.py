"""Hypothesis strategies: any text, table and card."""

from __future__ import annotations

from hypothesis import strategies as st

from slipway.bot.chat.model import Button, Card, Choice, Field, Table, Tone

anything = st.text(max_size=40)
tables = st.integers(1, 4).flatmap(
    lambda width: st.builds(
        Table,
        columns=st.tuples(*[anything] * width),
        rows=st.lists(st.tuples(*[anything] * width), max_size=5).map(tuple),
        title=anything,
    )
)
cards = st.builds(
    Card,
    tone=st.sampled_from(Tone),
    title=anything,
    text=anything,
    fields=st.lists(st.builds(Field, label=anything, value=anything), max_size=3).map(tuple),
    tables=st.lists(tables, max_size=2).map(tuple),
    notes=st.lists(anything, max_size=3).map(tuple),
)
buttons = st.builds(
    Button,
    choice=st.sampled_from(Choice),
    label=anything,
    operation_id=st.just("op-7k3f"),
    digest_prefix=anything,
)
