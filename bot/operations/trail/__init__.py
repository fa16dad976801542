"""The audit trail's proof: how entries are hashed, whether they hold, and whether the tables agree with them."""
