"""A tenant's applications by Microsoft Graph: `adapter` fulfils the port, `documents` reads, `client` asks."""
