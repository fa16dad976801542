"""What Slipway needs of a cloud, one module a capability. An adapter fulfils a port and knows nothing above it.

Every method may raise :class:`slipway.bot.core.errors.CloudError`. Every call has a timeout and a bounded number of
retries inside the adapter; a listing is complete (all pages) or an error, never a part.

Each module also holds what stands in the place of an adapter that is not configured: every call of it raises
:class:`slipway.bot.core.errors.UserError` with one sentence.
"""
