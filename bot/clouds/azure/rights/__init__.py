"""What Slipway's identity has to be allowed in Azure: one table, the roles made of it, and each right compared."""
