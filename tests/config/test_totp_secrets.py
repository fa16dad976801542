"""The secrets of authenticator apps in the configuration: as every secret, one a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.config.lint import warnings
from slipway.bot.config.load import settings_from
from slipway.bot.core.totp import new_secret
from tests.support.configuration import DECLARED, SECRETS, problems_of, put, settings_of, valid_document

SECRET = new_secret().get_secret_value()


def test_a_secret_comes_from_its_file_or_its_variable(tmp_path: Path) -> None:
    (tmp_path / "bob.totp").write_text(f"{SECRET}\n")
    (tmp_path / "bob.totp").chmod(0o600)
    document = put(valid_document(), "person.1.totp_secret_file", "bob.totp")
    settings = settings_from(document, tmp_path, SECRETS, spec=DECLARED.spec)
    alice, bob = settings.person
    assert alice.totp_secret is None
    assert bob.totp_secret is not None
    assert bob.totp_secret.get_secret_value() == SECRET
    assert settings.secret_sources["person.bob.totp_secret"] == f"the file {tmp_path / 'bob.totp'}"
    assert SECRET not in repr(settings) + settings.model_dump_json()
    by_variable = settings_of(valid_document(), {**SECRETS, "SLIPWAY_PERSON_ALICE_TOTP_SECRET": SECRET})
    assert by_variable.person[0].totp_secret is not None


@pytest.mark.parametrize("person", ["person.1", "person.0"])
def test_a_secret_in_the_configuration_itself_is_refused_and_not_repeated(person: str) -> None:
    for document in (valid_document(), put(put(valid_document(), "person.0.id", "x"), "person.1.id", "x")):
        told = "\n".join(problems_of(put(document, f"{person}.totp_secret", SECRET)))
        assert "a secret does not belong into this file" in told
        assert SECRET not in told


def test_what_is_no_secret_is_told_without_a_letter_of_it() -> None:
    (problem,) = problems_of(valid_document(), {**SECRETS, "SLIPWAY_PERSON_BOB_TOTP_SECRET": "hunter2!"})
    assert problem.startswith("person.bob.totp_secret: holds no secret in base32")
    assert "hunter2!" not in problem


def test_two_persons_with_one_secret_are_told() -> None:
    both = {f"SLIPWAY_PERSON_{name}_TOTP_SECRET": SECRET for name in ("ALICE", "BOB")}
    (problem,) = problems_of(valid_document(), {**SECRETS, **both})
    assert problem.startswith("person.bob.totp_secret: is the secret of alice, too")
    assert SECRET not in problem


def test_a_policy_that_too_few_can_meet_with_a_code_is_a_mistake_and_one_that_some_cannot_is_told() -> None:
    document = put(valid_document(), "policy.promote", {"approvals": 1, "role": "releng", "step_up": True})
    (problem,) = problems_of(document)
    assert problem.startswith("policy.promote.step_up: asks for 1 with a code")
    assert "alice, bob without a secret" in problem
    environ = {**SECRETS, "SLIPWAY_PERSON_BOB_TOTP_SECRET": SECRET}
    (warning,) = (
        str(each)
        for each in warnings(settings_of(document, environ), document, DECLARED.spec)
        if "totp" in each.said
    )
    assert warning.startswith("policy.promote.step_up: alice cannot approve")
    # A rule may ask for a code where its table does not.
    del document["policy"]["promote"]["step_up"]
    rule = {"target": "*-production", "approvals": 2, "step_up": True}
    problems = problems_of(put(document, "policy.promote.rule", [rule]), environ)
    assert [
        each for each in problems if each.startswith("policy.promote.rule #1.step_up: asks for 2 with a code")
    ]
