"""The applications of the demo's directory, with secrets as a release engineer might find them."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.bot.clouds.simulated.azure.graph import SeedApplication, SeedCredential

_UPLOADER = "5b1f6f3e-9a0c-4d5e-8f21-0c9d8e7f6a51"  # as bot/cli/demo-credentials.toml has it
_YEAR = timedelta(days=365)


def demo_applications(now: datetime) -> list[SeedApplication]:
    """An uploader with a secret in use and an ended one beside it, and an application of tests with one more."""
    return [
        SeedApplication(
            "7d0c2b1a-4e3f-4a5b-9c6d-1e2f3a4b5c6d",
            _UPLOADER,
            "fedora-image-uploader",
            [
                _secret("2d7e9c41-6b3a-4f08-a5d2-93c1b7e8f604", "made by hand", now + timedelta(days=65)),
                _secret("c85f0a16-37d9-4b2e-8e74-5a0b6c9d1f23", "the one before", now - timedelta(days=40)),
            ],
        ),
        SeedApplication(
            "8e1d3c2b-5f40-4b6c-8d7e-2f3a4b5c6d7e",
            "6c2a7a4f-0b1d-4e6f-9032-1dae9f8a7b62",
            "fedora-test-runner",
            [_secret("4f18b2d7-c6e5-4093-b7a8-60d1e2f39c5b", "ci", now + timedelta(days=190))],
        ),
    ]


def _secret(key: str, label: str, ends: datetime) -> SeedCredential:
    return SeedCredential(key, label, _written(ends - _YEAR), _written(ends))


def _written(at: datetime) -> str:
    """A moment as Microsoft Graph writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
