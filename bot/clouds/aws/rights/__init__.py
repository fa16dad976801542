"""What Slipway's credentials have to be allowed at AWS: one table, the policy made of it, and each right tried."""
