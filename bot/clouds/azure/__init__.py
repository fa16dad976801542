"""Image versions in an Azure Compute Gallery, and machines of them, by the Azure SDK.

- ``declaration``: what it declares.
- ``access``: where to go and by which credential, decided before anything is imported or sent.
- ``sdk_errors``, ``error_codes``: what an SDK error means.
- ``images``: image versions, by :class:`~slipway.bot.clouds.azure.images.gallery.AzureGallery`.
- ``machines``: launching, stopping and deleting machines, through the gallery's own client.
- ``graph``: credentials of app registrations, by Microsoft Graph.
- ``reading``: listings page by page, and how a read is sent again; ``transport``: what carries them.
- ``documents``: ARM's JSON read and checked.
"""
