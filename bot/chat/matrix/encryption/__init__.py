"""End-to-end encryption: the device's keys, cross-signing, other people's devices."""
