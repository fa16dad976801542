"""Which endpoints the adapter calls, with which credentials, and what is said where these do not work."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, DecodeError, HttpResponseError
from azure.identity import CredentialUnavailableError
from pydantic import SecretStr

from slipway.bot.clouds.azure.access import (
    PUBLIC,
    Access,
    Anonymous,
    ClientSecret,
    DefaultChain,
    choose_access,
)
from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.declaration import CLOUD
from slipway.bot.clouds.azure.identity import sdk_credential
from slipway.bot.clouds.azure.sdk_errors import translate_errors
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.core.errors import CloudError, CloudErrorKind, ConfigError, ResponsibleParty
from tests.support.configuration import SECRETS, problems_of, put, settings_of, valid_document

SECRET = SecretStr("s3cret")
HELD = {"tenant_id": "tenant", "client_id": "client", "client_secret": SECRET}
PRINCIPAL = ClientSecret("tenant", "client", SECRET)


def settings(**more: Any) -> AzureSettings:
    return AzureSettings(subscription_id="s", resource_group="g", gallery="G", **more)


def test_without_anything_configured_azure_identity_looks_for_itself() -> None:
    assert choose_access(settings(), {}) == Access(PUBLIC, DefaultChain())


@pytest.mark.parametrize(
    "environ",
    [
        {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_CLIENT_SECRET": "s3cret"},
        {"AZURE_TENANT": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_SECRET": "s3cret"},
        {
            "AZURE_TENANT": "old",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_CLIENT_ID": "client",
            "AZURE_SECRET": "old",
            "AZURE_CLIENT_SECRET": "s3cret",
        },
    ],
)
def test_both_sets_of_names_are_understood(environ: dict[str, str]) -> None:
    assert choose_access(settings(), environ).credential == PRINCIPAL


def test_settings_win_over_the_environment() -> None:
    environ = {"AZURE_TENANT_ID": "x", "AZURE_CLIENT_ID": "x", "AZURE_CLIENT_SECRET": "x"}
    chosen = choose_access(settings(**HELD), environ)
    assert chosen.credential == PRINCIPAL


def test_half_a_service_principal_is_a_mistake_that_names_what_is_missing() -> None:
    with pytest.raises(ConfigError) as caught:
        choose_access(settings(client_secret=SECRET), {})
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "azure.tenant_id",
        "azure.client_id",
    ]
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9"])
def test_a_double_on_this_machine_gets_no_token(url: str) -> None:
    environ = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    assert choose_access(settings(endpoint=url), environ).credential == Anonymous()


@pytest.mark.parametrize(
    "url",
    [
        "http://management.azure.com",
        "http://localhost.elsewhere.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "localhost:8080",
        "https://",
        "https://user:word@localhost",
        "https://management.azure.com?x=1",
        "https://management.azure.com/?",
        "https://management.azure.com/#x",
        "http://[::1",
        "https://host:99999",
        "",
    ],
)
def test_unencrypted_or_unusable_endpoints_are_refused_by_the_check_of_the_settings(url: str) -> None:
    assert [problem.key for problem in CLOUD.check(settings(endpoint=url), True)] == ["endpoint"]


def test_no_token_is_sent_unencrypted_wherever_it_would_go() -> None:
    chosen = choose_access(settings(endpoint="HTTP://management.azure.com", **HELD), {})
    assert chosen.credential == Anonymous()


def test_another_cloud_is_asked_for_a_token_of_its_own() -> None:
    chosen = choose_access(settings(endpoint="https://management.chinacloudapi.cn/"), {})
    assert chosen.scope == "https://management.chinacloudapi.cn/.default"


ENVIRON = {
    "AZURE_TENANT_ID": "other",
    "AZURE_CLIENT_ID": "other",
    "AZURE_CLIENT_SECRET": "other",
    "AZURE_TENANT": "other",
    "AZURE_SECRET": "other",
}
"""The unnamed account's service principal."""


def test_a_named_account_takes_nothing_of_the_unnamed_ones_environment() -> None:
    assert choose_access(settings(), ENVIRON, "azure.staging") == Access(
        PUBLIC, DefaultChain(environment=False)
    )
    assert choose_access(settings(**HELD), ENVIRON, "azure.staging").credential == PRINCIPAL
    by_id = choose_access(settings(client_id="machine"), ENVIRON, "azure.staging")
    assert by_id.credential == DefaultChain(environment=False, client_id="machine")


@pytest.mark.parametrize("missing", ["tenant_id", "client_id", "client_secret"])
def test_an_incomplete_credential_of_a_named_account_is_told_by_its_own_names(missing: str) -> None:
    held = {key: value for key, value in HELD.items() if key != missing}
    with pytest.raises(ConfigError) as caught:
        choose_access(settings(**held), ENVIRON, "azure.staging-2")
    (problem,) = caught.value.problems
    assert problem.startswith(f"azure.staging-2.{missing}: missing")
    assert "AZURE_TENANT" not in problem.replace("SLIPWAY_AZURE_", "")
    assert ("SLIPWAY_AZURE_STAGING_2_CLIENT_SECRET" in problem) is (missing == "client_secret")


def test_no_service_principal_of_the_environment_is_among_what_a_named_account_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    by_default = sdk_credential(Access(PUBLIC, DefaultChain()), 1)
    named = sdk_credential(Access(PUBLIC, DefaultChain(environment=False)), 1)
    kinds = [{type(each).__name__ for each in chain.credentials} for chain in (by_default, named)]  # type: ignore[attr-defined]
    assert "EnvironmentCredential" in kinds[0]
    assert "EnvironmentCredential" not in kinds[1]


def test_check_tells_that_a_named_account_has_no_secret() -> None:
    staging = {
        "subscription_id": "s",
        "resource_group": "g",
        "gallery": "G",
        "tenant_id": "t",
        "client_id": "c",
    }
    document = put(valid_document(), "azure.staging", staging)
    (problem,) = problems_of(document, {**SECRETS, **ENVIRON})
    assert problem.startswith("azure.staging.client_secret: missing, though tenant_id is given")
    settings_of(document, {**SECRETS, "SLIPWAY_AZURE_STAGING_CLIENT_SECRET": "s3cret"})


@pytest.mark.parametrize("error", [ClientAuthenticationError, CredentialUnavailableError])
def test_no_valid_credentials_are_a_refusal_and_the_sdks_words_stay_out(error: type[AzureError]) -> None:
    with (
        pytest.raises(CloudError, match="refused to list things") as caught,
        translate_errors(AzureAccount(), "list things"),
    ):
        raise error("AADSTS7000215: Invalid client secret s3cret")
    assert caught.value.kind is CloudErrorKind.REFUSED
    assert "s3cret" not in caught.value.sentence


class TokenServiceAnswer:
    """What the token service says to a secret that ran out, as far as the SDK's errors look at it."""

    status_code = 400
    reason = "Bad Request"
    headers: ClassVar[dict[str, str]] = {}

    def text(self) -> str:
        words = "AADSTS7000222: The provided client secret keys are expired. client_secret=s3cret\r\nTrace ID: 1\r\n"
        return json.dumps({"error": "invalid_client", "error_description": words})


def test_a_secret_that_ran_out_is_a_refusal_with_the_token_services_code_and_words() -> None:
    answer: Any = TokenServiceAnswer()
    with (
        pytest.raises(CloudError, match=r"does not accept .* \(invalid_client\)") as caught,
        translate_errors(AzureAccount(), "list things"),
    ):
        raise ClientAuthenticationError("AADSTS7000222 s3cret", response=answer)
    assert (caught.value.kind, caught.value.code) == (CloudErrorKind.REFUSED, "invalid_client")
    assert caught.value.reason.startswith("AADSTS7000222: The provided client secret keys are expired.")
    assert "s3cret" not in caught.value.reason
    assert "Trace" not in caught.value.reason


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            503,
            {"error": "temporarily_unavailable"},
            CloudErrorKind.BROKEN,
            "error of its own (temporarily_unavailable)",
        ),
        (500, None, CloudErrorKind.BROKEN, "error of its own (HTTP 500)"),
        (
            429,
            {"error": "too_many_requests"},
            CloudErrorKind.THROTTLED,
            "too many requests (too_many_requests)",
        ),
    ],
)
@pytest.mark.parametrize("error", [ClientAuthenticationError, DecodeError])
def test_a_token_service_that_is_unwell_blames_no_credentials(
    error: type[HttpResponseError], status: int, body: object, kind: CloudErrorKind, words: str
) -> None:
    answer: Any = TokenServiceAnswer()
    answer.status_code = status
    answer.text = lambda: "<html>" if body is None else json.dumps(body)
    with pytest.raises(CloudError) as caught, translate_errors(AzureAccount(), "list things"):
        raise error("s3cret", response=answer)
    assert caught.value.kind is kind
    assert words in caught.value.sentence
    assert caught.value.responsible is ResponsibleParty.CLOUD


def test_a_subscription_without_compute_is_for_whoever_runs_slipway() -> None:
    answer: Any = TokenServiceAnswer()
    answer.status_code = 409
    words = "The subscription is not registered to use namespace 'Microsoft.Compute'."
    answer.text = lambda: json.dumps({"error": {"code": "MissingSubscriptionRegistration", "message": words}})
    with pytest.raises(CloudError) as caught, translate_errors(AzureAccount(), "list things"):
        raise HttpResponseError("no", response=answer)
    assert (caught.value.responsible, caught.value.reason) == (ResponsibleParty.ADMIN, words)
