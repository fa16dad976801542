"""A simulated Azure: a real HTTP server that speaks ARM for Compute galleries, for tests and the demo.

It knows nothing of the bot; the unmodified Azure SDK is its client. ``python -m slipway.bot.clouds.simulated.azure``
starts it as a process of its own, and ``/_sim/`` (see :mod:`slipway.bot.clouds.simulated.control`) drives it.

Where it differs from the real service, on purpose:

- Tokens are not looked at; it speaks plain http, and any subscription but the seeded one is unknown.
- It keeps ETags and honours ``If-Match``. The real gallery API documents neither.
- Long-running operations advance by being looked at (a poll of the operation or a read of the resource counts
  as one look), not by time, and ask for a short pause in ``x-ms-retry-after-ms`` so that nobody waits long.
- Replication is instant; there are no quotas, locks, soft deletion or sharing, and no throttling of its own.
- A version that is being changed or deleted answers every further write with 409. The real service is said to
  do so; which code it gives is not documented.
- A definition can be deleted as soon as its last version is gone, not 10 to 20 seconds later.
- PATCH merges the publishing profile by its keys and replaces the list of target regions as a whole. What the
  real service does with regions that a PATCH leaves out is not documented.
"""

from slipway.bot.clouds.simulated.azure.seed import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.clouds.simulated.azure.server import SimulatedAzure

__all__ = ["Seed", "SeedDefinition", "SeedRegion", "SeedVersion", "SimulatedAzure"]
