"""Image versions in an Azure Compute Gallery, by the Azure SDK.

- ``declaration``: what it declares.
- ``gallery``: :class:`AzureGallery`, which fulfils :class:`slipway.bot.clouds.ports.image_versions.ImageVersions`;
  light to import.
- ``access``: where to go and by which credential, decided before anything is imported or sent.
- ``arm``: single calls by the Azure SDK, their policies and their errors; imported at the first call.
- ``sdk_errors``: what an SDK error means.
- ``documents``: ARM's JSON read into :mod:`slipway.bot.clouds.model`, checked.
"""
