"""What people are told of machines beside their leases: what they cost, and who runs what."""
