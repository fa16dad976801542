"""A definition that vanishes is told once, and what only seems to vanish is not."""

from __future__ import annotations

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.watching.vanished import missing
from tests.images.builders import MemoryGallery, promoted
from tests.images.watching.test_foreign import World

GONE = CloudError(CloudErrorKind.NOT_FOUND, cloud="azure", sentence="There is none.", code="ResourceNotFound")


def world() -> World:
    return World(MemoryGallery(promoted("43.1.0", definition="one"), promoted("43.1.0", definition="two")))


def lose(world: World, error: CloudError = GONE) -> None:
    del world.gallery.held["two"]
    world.gallery.failing["two"] = error


def test_it_is_told_once_over_restarts() -> None:
    here = world()
    here.look()
    lose(here)
    here.look()
    here.start()
    here.look()
    (card,) = here.said.values()
    assert card.title == "The definition two vanished from azure, and no operation of Slipway's did it"


def test_it_is_told_by_the_next_process_where_one_dies_before_it_could() -> None:
    here = world()
    here.look()
    lose(here)
    here.mute = True
    try:
        here.look()
    except RuntimeError:
        here.mute = False
    here.start()
    here.look()
    assert len(here.said) == 1


def test_one_that_the_cloud_still_knows_or_will_not_tell_of_has_not_vanished() -> None:
    for error in (
        CloudError(CloudErrorKind.NOT_FOUND, cloud="azure", sentence="It is not configured."),
        CloudError(CloudErrorKind.REFUSED, cloud="azure", sentence="No.", code="AuthorizationFailed"),
    ):
        here = world()
        here.look()
        lose(here, error)
        here.look()
        assert here.said == {}
        here.gallery.failing["two"] = GONE
        here.look()
        assert len(here.said) == 1  # it was not forgotten meanwhile


def test_what_comes_back_is_seen_anew_and_told_if_it_is_promoted() -> None:
    here = world()
    here.look()
    lose(here)
    here.look()
    here.gallery.failing.clear()
    here.gallery.put(promoted("43.2.0", definition="two"))
    here.look()
    assert any("43.2.0 came new, and is promoted" in line for line in here.lines)


def test_another_gallery_is_no_loss_of_each_definition() -> None:
    assert missing(("a", "b"), ("c",)) == ()
    assert missing(("a", "B"), ("b",)) == ("a",)
    assert missing((), ("a",)) == ()
