"""One configured AWS account: its clients by region and service, and how errors speak of it."""

from __future__ import annotations

from pydantic import SecretStr

from slipway.bot.clouds.aws.calls import AwsCalls
from slipway.bot.clouds.aws.errors import CLOUD_NAME, Ec2Request
from slipway.bot.clouds.aws.pacing import Pace
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.clouds.declaration import CloudContext


class AwsAccount:
    """What all regions of an account share.

    Args:
        settings: regions, owners of images, endpoint, credentials, and how long to wait: ``timeout`` is for one
            request, and a call makes up to ``max_attempts`` of them.
        context: the account's name, and the deployment's, which tells its machines from another's there.
        pace: how time passes for its requests; None for the usual one, with the pauses of the context.
    """

    def __init__(self, settings: AwsSettings, context: CloudContext, *, pace: Pace | None = None) -> None:
        self.settings = settings
        self.name = context.name
        self.deployment = context.deployment
        self._contact = context.contact
        self._pace = pace or Pace.by(context.sleep)
        self._files = context.secret_files
        self._fence = context.fence
        self._calls: dict[tuple[str, str], AwsCalls] = {}
        self._closed = False

    @property
    def title(self) -> str:
        """What people call it in a sentence: EC2, and of which account where it has a name."""
        return "EC2" if self.name == CLOUD_NAME else f"EC2 ({self.name})"

    @property
    def regions(self) -> tuple[str, ...]:
        """All configured regions, the first one first."""
        return tuple(dict.fromkeys((self.settings.region, *self.settings.regions)))

    def calls(self, region: str, service: str = "ec2") -> AwsCalls:
        """The calls to a service in a region; the same ones each time."""
        key = (region, service)
        if key not in self._calls:
            self._calls[key] = AwsCalls(
                self.settings,
                self._contact,
                lambda operation: self._pace.lane(self.title, service, operation),
                region,
                service,
                self._files,
                fence=self._fence,
            )
            if self._closed:
                self._calls[key].close()
        return self._calls[key]

    def calls_marked(self, mark: str, region: str, service: str) -> AwsCalls:
        """The calls to a service whose requests say one word more of who sends them, by which the cloud's log tells
        them from others; whoever asks for them closes them."""
        return AwsCalls(
            self.settings,
            self._contact,
            lambda operation: self._pace.lane(self.title, service, operation),
            region,
            service,
            self._files,
            mark,
            self._fence,
        )

    def calls_as(self, key: str, secret: SecretStr, service: str) -> AwsCalls:
        """The calls to a service by another access key than the account's own; whoever asks for them closes them."""
        settings = self.settings.model_copy(
            update={"access_key_id": SecretStr(key), "secret_access_key": secret}
        )
        return AwsCalls(
            settings,
            CloudContact(),
            lambda operation: self._pace.lane(self.title, service, operation),
            settings.region,
            service,
            fence=self._fence,
        )

    def request(self, action: str, *, changes: bool = False) -> Ec2Request:
        """A request as errors speak of it."""
        return Ec2Request(action, changes, self.name)

    def close(self) -> None:
        """Let go of connections and threads; a request under way ends by itself and starts no other."""
        self._closed = True
        for calls in self._calls.values():
            calls.close()
