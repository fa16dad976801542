"""A simulated Azure: a real HTTP server that speaks ARM for Compute galleries, for tests and the demo.

It knows nothing of the bot; the unmodified Azure SDK is its client. ``python -m slipway.bot.clouds.simulated.azure``
starts it as a process of its own, and ``/_sim/`` (see :mod:`slipway.bot.clouds.simulated.control`) drives it.

``GET`` and ``PUT /_sim/conditions`` show and set :class:`Conditions` as JSON: entity tags, rights on what a version
was made of, sources that there are, locks, soft deletion, how long operations take.

Where it differs from the real service, on purpose:

- Tokens are not looked at, and any subscription but the seeded one is unknown.
- Long-running operations advance by being looked at (a poll of the operation or a read of the resource counts as
  one look) unless :class:`Conditions` name durations, and ask for a short pause in ``x-ms-retry-after-ms`` so that
  nobody waits long, which the real one does not.
- What a version is made of is looked up only where :class:`Conditions` say what there is; else any source is taken.
- Of addresses beside galleries the API version is not looked at, but must be named.
- What a restore answers at once shows the version's state and safety profile, which the recorded answer lacks.
- Replication is instant. There are no quotas, no sharing, no throttling of its own, and no counters of what is left
  (``x-ms-ratelimit-remaining-resource``).
- A definition can be deleted as soon as its last version is gone unless ``definition_lingers`` says otherwise.

Where the real service's way is not recorded, the unkind one is taken:

- A version that is being changed answers every further write with 409; which code the service gives is not known.
- A PUT without safety flags, tags or an end of life takes them away (see :mod:`.version_rules`).
- PATCH merges the publishing profile by its keys and replaces the list of target regions as a whole.
- ETags come only where :class:`Conditions` ask for them: no recorded answer carries one.
"""

from slipway.bot.clouds.simulated.azure.conditions import Conditions, Durations, Lock, LockLevel
from slipway.bot.clouds.simulated.azure.seed import (
    ABSENT,
    Seed,
    SeedDataDisk,
    SeedDefinition,
    SeedRegion,
    SeedVersion,
    Source,
)
from slipway.bot.clouds.simulated.azure.server import SimulatedAzure
from slipway.bot.clouds.simulated.azure.sources import Generation, SourceFacts

__all__ = [
    "ABSENT",
    "Conditions",
    "Durations",
    "Generation",
    "Lock",
    "LockLevel",
    "Seed",
    "SeedDataDisk",
    "SeedDefinition",
    "SeedRegion",
    "SeedVersion",
    "SimulatedAzure",
    "Source",
    "SourceFacts",
]
