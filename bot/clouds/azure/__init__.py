"""Image versions in an Azure Compute Gallery, and machines of them, by the Azure SDK.

- ``declaration``: what it declares.
- ``gallery``: :class:`AzureGallery`, which fulfils :class:`slipway.bot.clouds.ports.image_versions.ImageVersions`;
  light to import.
- ``access``: where to go and by which credential, decided before anything is imported or sent.
- ``arm``: single calls by the Azure SDK, their policies and their errors; imported at the first call.
- ``sdk_errors``, ``error_codes``: what an SDK error means.
- ``machines``: launching, stopping and deleting machines, through the gallery's own client.
- ``reading``: listings page by page, and how a read is sent again; ``transport``: what carries them.
- ``documents``, ``version_documents``: ARM's JSON read into :mod:`slipway.bot.clouds.model`, checked.
"""
