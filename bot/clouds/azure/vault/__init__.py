"""Azure Key Vault: `adapter` fulfils the port, `client` asks by the SDK, `refusals` says what is wrong."""
