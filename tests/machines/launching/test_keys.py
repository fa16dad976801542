"""Keys that a cloud does not take, or leaves to the image, by what its adapter says of them."""

from __future__ import annotations

from slipway.bot.clouds.machine_model import KeyVerdict
from slipway.bot.clouds.ports.machines import NotConfiguredMachines
from slipway.bot.subjects.machines.launching.keys import ChosenKeys, taken_by


class Picky(NotConfiguredMachines):
    """Takes no DSA, and leaves ECDSA to the image."""

    def key_verdict(self, key: str) -> KeyVerdict:
        if key.startswith("ecdsa"):
            return KeyVerdict(why="is left to the image")
        return KeyVerdict(
            taken=not key.startswith("dsa"), why="is too old here" if key.startswith("dsa") else ""
        )


HELD = ChosenKeys(("dsa A", "rsa B", "ecdsa C"), ("one", "two", "three"), ("Another was gone.",))


def test_a_key_that_the_cloud_does_not_take_is_left_out_with_the_reason() -> None:
    taken = taken_by(Picky("picky"), HELD)
    assert (taken.lines, taken.fingerprints) == (("rsa B", "ecdsa C"), ("two", "three"))
    assert taken.notes == (
        "Another was gone.",
        "one is left out: it is too old here.",
        "three is left to the image.",
    )


def test_where_the_cloud_has_no_opinion_all_are_taken() -> None:
    assert taken_by(NotConfiguredMachines("any"), HELD) == HELD
