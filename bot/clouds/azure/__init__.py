"""The hand that reaches into an Azure Compute Gallery.

- ``gallery``: :class:`AzureGallery`, which fulfils :class:`slipway.bot.clouds.ports.Gallery`; light to import.
- ``access``: where to go and how to prove who is asking, decided before anything is imported or sent.
- ``arm``: single calls by the Azure SDK, their policies and their failures; imported at the first call.
- ``failures``: what an SDK error means.
- ``documents``: ARM's JSON read into :mod:`slipway.bot.clouds.model`, checked.
"""

from slipway.bot.clouds.azure.gallery import AzureGallery, Pace

__all__ = ["AzureGallery", "Pace"]
