"""Secrets come from the environment or from files, and never show."""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from slipway.bot.chat.matrix.declaration import CHAT as MATRIX
from slipway.bot.clouds.azure.declaration import CLOUD as AZURE
from slipway.bot.config.describe import describe
from slipway.bot.config.load import settings_from
from slipway.bot.config.schema import Schema
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ConfigError, DeclarationError
from slipway.bot.core.secret_files import read_secret
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from tests.support.configuration import DECLARED, SECRETS, problems_of, put, settings_of, valid_document

WORD = "correct-horse-battery"


def written(path: Path, content: str | bytes = WORD + "\n", mode: int = 0o600) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def password(settings: SlipwaySettings) -> str:
    matrix = settings.optional(MATRIX.table)
    assert matrix is not None
    assert matrix.password is not None
    return matrix.password.get_secret_value()


def test_a_file_named_in_the_table_is_read_without_its_last_newline(tmp_path: Path) -> None:
    written(tmp_path / "password", f"{WORD} \n")
    document = put(valid_document(), "matrix.password_file", "password")
    settings = settings_from(document, tmp_path, {}, spec=DECLARED.spec)
    assert password(settings) == f"{WORD} "
    assert settings.secret_sources == {"matrix.password": f"the file {tmp_path / 'password'}"}


def test_the_environment_wins_over_the_table(tmp_path: Path) -> None:
    path = written(tmp_path / "other", "from a file")
    document = put(valid_document(), "matrix.password_file", "/nowhere")
    assert password(settings_of(document, {"SLIPWAY_MATRIX_PASSWORD": WORD})) == WORD
    assert password(settings_of(document, {"SLIPWAY_MATRIX_PASSWORD_FILE": str(path)})) == "from a file"


def test_an_empty_variable_is_none() -> None:
    settings = settings_of(
        valid_document(), {"SLIPWAY_MATRIX_PASSWORD": "", "SLIPWAY_MATRIX_PASSWORD_FILE": ""}
    )
    matrix = settings.optional(MATRIX.table)
    assert matrix is not None
    assert matrix.password is None
    assert settings.secret_sources == {}


def test_two_ways_at_once_are_a_mistake() -> None:
    both = {"SLIPWAY_MATRIX_PASSWORD": WORD, "SLIPWAY_MATRIX_PASSWORD_FILE": "x"}
    (problem,) = problems_of(valid_document(), both)
    assert problem.startswith("matrix.password: SLIPWAY_MATRIX_PASSWORD and SLIPWAY_MATRIX_PASSWORD_FILE are")
    both = {"SLIPWAY_MATRIX_PASSWORD": WORD, "SLIPWAY_MATRIX_ACCESS_TOKEN": WORD}
    assert problems_of(valid_document(), both) == (
        "matrix: a password and an access token are both given; give one of them",
    )


SECRET_PLACES = tuple(
    (*secret.table, secret.name)
    for secret in Schema(DECLARED.spec).secrets({"aws": {"region": "x"}, "azure": {"gallery": "x"}})
)


@pytest.mark.parametrize("path", SECRET_PLACES, ids=".".join)
def test_a_secret_in_the_configuration_itself_is_refused_and_not_repeated(path: tuple[str, ...]) -> None:
    document = put(valid_document(), ".".join(path), WORD)
    (problem,) = problems_of(document)
    variable = "SLIPWAY_" + "_".join(path).upper()
    assert problem.startswith(f"{'.'.join(path)}: a secret does not belong into this file; ")
    assert f"{path[-1]}_file" in problem
    assert variable in problem
    assert WORD not in problem


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (WORD, 0o644, "everybody on this machine may read or write"),
        (WORD, 0o602, "everybody on this machine may read or write"),
        ("", 0o600, "is empty"),
        ("\n", 0o600, "is empty"),
        (b"\xff" + WORD.encode(), 0o600, "is not text in UTF-8"),
        (WORD * 10000, 0o600, "is larger than"),
    ],
)
def test_a_file_that_cannot_be_a_secret_is_refused(
    tmp_path: Path, content: str | bytes, mode: int, said: str
) -> None:
    path = written(tmp_path / "password", content, mode)
    (problem,) = problems_of(put(valid_document(), "matrix.password_file", str(path)), {})
    assert problem.startswith("matrix.password_file: ")
    assert said in problem
    assert WORD not in problem


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, said in (("pipe", "is not a file"), (".", "is not a file"), ("missing", "cannot be read")):
        with pytest.raises(ValueError, match=said):
            read_secret(tmp_path / name)
    (problem,) = problems_of(put(valid_document(), "matrix.password_file", 5), {})
    assert problem == "matrix.password_file: must be the path of a file, in quotes"
    (problem,) = problems_of(put(valid_document(), "matrix.password_file", "a\0b"), {})
    assert problem == "matrix.password_file: what is named is not a path; it holds a zero byte"


def test_a_secret_in_the_place_of_a_path_is_not_repeated() -> None:
    for path in (WORD, f"/{WORD}/x", WORD * 500):
        (problem,) = problems_of(valid_document(), {"SLIPWAY_MATRIX_PASSWORD_FILE": path})
        assert problem.startswith("matrix.password_file: the file that is named cannot be read (")
        assert WORD not in problem


def test_a_variable_that_is_not_text_is_refused() -> None:
    (problem,) = problems_of(valid_document(), {"SLIPWAY_MATRIX_PASSWORD": "caf\udce9"})
    assert "does not hold text in UTF-8" in problem


@pytest.mark.parametrize(
    "environ",
    [
        {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": WORD},
        {"AZURE_TENANT": "t", "AZURE_CLIENT_ID": "c", "AZURE_SECRET": WORD},
        {"AZURE_TENANT": "t", "AZURE_CLIENT_ID": "c", "SLIPWAY_AZURE_CLIENT_SECRET": WORD},
    ],
)
def test_azure_is_read_from_the_names_others_use(environ: dict[str, str]) -> None:
    document = valid_document()
    del document["azure"]["subscription_id"]
    environ |= {"SLIPWAY_MATRIX_PASSWORD": "x", "AZURE_SUBSCRIPTION_ID": "s"}
    azure = settings_of(document, environ).named(AZURE.table)["azure"]
    assert azure.client_secret is not None
    assert (azure.subscription_id, azure.tenant_id, azure.client_id) == ("s", "t", "c")
    assert azure.client_secret.get_secret_value() == WORD


def test_what_the_configuration_says_of_azure_wins_over_azures_own_variables() -> None:
    document = put(valid_document(), "azure.tenant_id", "written")
    environ = {"SLIPWAY_MATRIX_PASSWORD": "x", "AZURE_TENANT_ID": "set"}
    azure = settings_of(document, environ).named(AZURE.table)["azure"]
    assert azure.tenant_id == "written"


def test_half_of_a_pair_is_a_mistake() -> None:
    environ = {"SLIPWAY_MATRIX_PASSWORD": "x", "SLIPWAY_AWS_ACCESS_KEY_ID": "x", "AZURE_CLIENT_SECRET": "x"}
    assert [problem.split(";")[0] for problem in problems_of(valid_document(), environ)] == [
        "aws: of access_key_id and secret_access_key only one is given",
        "azure: a client secret needs tenant_id and client_id beside it",
    ]


def test_no_secret_shows_anywhere() -> None:
    environ = {
        "SLIPWAY_MATRIX_PASSWORD": WORD,
        "SLIPWAY_AWS_ACCESS_KEY_ID": WORD,
        "SLIPWAY_AWS_SECRET_ACCESS_KEY": WORD,
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_CLIENT_SECRET": WORD,
    }
    settings = settings_of(valid_document(), environ)
    text = (
        repr(settings)
        + str(settings)
        + "\n".join(describe(settings, DECLARED.spec))
        + settings.model_dump_json()
    )
    assert WORD not in text
    assert "azure.client_secret from the environment variable AZURE_CLIENT_SECRET" in text
    with pytest.raises(ConfigError) as caught:
        settings_of(put(put(valid_document(), "aws.region", 5), "matrix.rooms", 5), environ)
    assert WORD not in str(caught.value) + repr(caught.value)


def test_no_repeated_table_holds_a_secret() -> None:
    """Such a secret would be read from slipway.toml itself: no variable could name it."""

    class Held(Settings):
        password: SecretStr | None = None

    with pytest.raises(DeclarationError, match="no environment variable that could carry it"):
        SettingsTable("held", Held, TableShape.NAMED, "many")
    assert ("matrix", "password") in SECRET_PLACES


def test_each_account_of_a_cloud_has_secrets_of_its_own(tmp_path: Path) -> None:
    document = put(valid_document(), "azure.staging", valid_document()["azure"] | {"gallery": "Staging"})
    for key, value in (("tenant_id", "t"), ("client_id", "c")):
        put(document, f"azure.staging.{key}", value)
    put(document, "azure.staging.client_secret_file", str(written(tmp_path / "staging")))
    accounts = settings_of(document).named(AZURE.table)
    assert {name: account.gallery for name, account in accounts.items()} == {
        "azure": "Fedora",
        "azure.staging": "Staging",
    }
    secret = accounts["azure.staging"].client_secret
    assert secret is not None
    assert secret.get_secret_value() == WORD
    assert accounts["azure"].client_secret is None
    del document["azure"]["staging"]["client_secret_file"]
    environ = SECRETS | {"SLIPWAY_AZURE_STAGING_CLIENT_SECRET": "from-the-environment"}
    secret = settings_of(document, environ).named(AZURE.table)["azure.staging"].client_secret
    assert secret is not None
    assert secret.get_secret_value() == "from-the-environment"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gallery": 5}, "azure.staging.gallery: it is 5; must be text in quotes"),
        ({"endpoint": "http://example.org"}, "azure.staging.endpoint: "),
        ({"galery": "x"}, 'azure.staging.galery: there is no such key; did you mean "gallery"?'),
        ({"client_secret": WORD}, "azure.staging.client_secret: a secret does not belong into this file"),
    ],
)
def test_a_mistake_in_a_named_account_is_told_by_its_name(change: dict[str, Any], told: str) -> None:
    document = put(valid_document(), "azure.staging", valid_document()["azure"] | change)
    (problem,) = problems_of(document)
    assert told in problem
    assert WORD not in problem


@pytest.mark.parametrize("name", ["One", "my acct", "a.b", "1st", "-x", "_x", "", "é", "a:b", "x\ny"])
def test_an_account_has_a_name_that_people_and_variables_can_have(name: str) -> None:
    document = valid_document()
    document["azure"][name] = dict(document["azure"])
    document["azure"]["one"] = dict(valid_document()["azure"])
    (problem,) = problems_of(document)
    assert problem.startswith("azure.")
    assert "an account's name begins with one of a-z, and holds only a-z, 0-9, _ and -" in problem
    assert "write it like [azure.staging]" in problem
    assert "\n" not in problem


def test_accounts_that_would_share_their_variables_are_told_in_one_sentence() -> None:
    document = valid_document()
    for name in ("us-east", "us_east", "us-west", "useast"):
        document["azure"][name] = dict(valid_document()["azure"])
    (problem,) = problems_of(document)
    assert problem == (
        "azure.us_east: [azure.us_east] and [azure.us-east] would take their secrets from the same variables; "
        "give one of them another name"
    )


def test_accounts_of_two_clouds_may_have_one_name() -> None:
    document = valid_document()
    document["azure"]["us-east"] = dict(valid_document()["azure"])
    document["aws"]["us_east"] = {"region": "us-east-1"}
    assert set(settings_of(document).named(AZURE.table)) == {"azure", "azure.us-east"}


AROUND = (
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    "\ufeff",
    "\u200b",
    "\u00a0",
    "\u2028",
    "\x00",
    " \n",
    "\n\ufeff \u200b",
)
"""What editors, clipboards and tools put around a secret, and nobody sees."""

WAYS = ("variable", "file of a variable", "file of the table", "variable of other tools")


def given(
    way: str, path: tuple[str, ...], value: str, folder: Path
) -> tuple[dict[str, Any], dict[str, str]] | None:
    """A document and an environment in which a secret comes in one way; None where it cannot."""
    document, variable = valid_document(), "SLIPWAY_" + "_".join(path).upper()
    put(document, "slack", {})
    put(document, "http.ops", {})
    environ = {"SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1", "SLIPWAY_SLACK_APP_TOKEN": "xapp-1"}
    environ |= {"SLIPWAY_AWS_ACCESS_KEY_ID": "x", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "x"}
    environ |= {"AZURE_TENANT_ID": "t\n", "AZURE_CLIENT_ID": "c\ufeff"}
    environ.pop(variable, None)
    match way:
        case "variable":
            environ[variable] = value
        case "file of a variable":
            environ[f"{variable}_FILE"] = f"{written(folder / 'secret', value)}\n"
        case "file of the table":
            put(document, f"{'.'.join(path)}_file", str(written(folder / "secret", value)))
        case _:
            others = AZURE.environment.get(path[-1], ()) if path[0] == "azure" else ()
            if not others:
                return None
            environ[others[-1]] = value
    return (document, environ) if "\0" not in value or "file" in way else None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", SECRET_PLACES, ids=".".join)
def test_what_nobody_sees_around_a_secret_is_no_part_of_it(
    path: tuple[str, ...], way: str, tmp_path: Path
) -> None:
    words = {"bot_token": "xoxb-2", "app_token": "xapp-2", "token": "s3cret" * 4}
    word = words.get(path[-1], "s3cret")
    for unseen in AROUND:
        for value in (f"{word}{unseen}", f"{unseen}{word}", f"{unseen}{word}{unseen}"):
            if (found := given(way, path, value, tmp_path)) is None:
                continue
            table = getattr(settings_of(*found), path[0])
            table = table[path[0]] if isinstance(table, dict) else table
            table = reduce(getattr, path[1:-1], table)
            held = getattr(table, path[-1]).get_secret_value()
            assert held.strip(" ") == word, ascii(value)
            assert held == word or path[-1] in ("password", "cross_signing_seeds")
            if path[0] == "azure":
                assert (table.tenant_id, table.client_id) == ("t", "c")


@pytest.mark.parametrize("path", SECRET_PLACES, ids=".".join)
def test_a_secret_that_cannot_be_one_is_named_without_a_letter_of_it(
    path: tuple[str, ...], tmp_path: Path
) -> None:
    if path[-1] == "cross_signing_seeds":
        return
    odd = {"\n": "a line break", "\x00": "the invisible sign U+0000", "\x1b": "the invisible sign U+001B"}
    if path[-1] != "password":
        odd |= {" ": "a space", "\ufeff": "the invisible sign U+FEFF", "é": "a sign beyond ASCII"}
    for sign, called in odd.items():
        found = given("file of the table", path, f"hunter{sign}two", tmp_path)
        assert found is not None
        problems = problems_of(*found)
        assert [f"{'.'.join(path)}: holds {called}" in problem for problem in problems] == [True], problems
        assert "hunter" not in str(problems)
    found = given("file of a variable", path, "\ufeff\u200b\n", tmp_path)
    assert found is not None
    assert "holds nothing that can be seen" in str(problems_of(*found))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://slipway:{WORD}@db.example.org/slipway",
        f"postgresql://slipway@db.example.org/slipway?password={WORD}",
        f"postgresql://slipway@db.example.org/slipway?sslpassword={WORD}",
    ],
)
def test_a_password_in_a_url_is_refused_however_it_is_written_there(url: str) -> None:
    (problem,) = problems_of(put(valid_document(), "database.url", url))
    assert problem.startswith("database.url: a secret does not belong into this file; ")
    assert WORD not in problem
