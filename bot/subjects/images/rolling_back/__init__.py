"""Rolling back: promoted versions are taken back, and an older one is latest again."""
