"""Image versions in an Azure Compute Gallery.

- ``gallery``: :class:`AzureGallery`, which fulfils :class:`slipway.bot.clouds.ports.image_versions.ImageVersions`;
  light to import.
- ``arm``: single calls by the Azure SDK, their policies and their errors; imported at the first call.
- ``changes``, ``edits``, ``version_update``: a change to a version: what is written, and how it is seen to its end.
- ``restoring``, ``protection``, ``locks``, ``usage``: what a clean-up asks beside that.
- ``version_documents``: ARM's JSON of versions read into :mod:`slipway.bot.clouds.model`, checked.
"""
