"""What changes of versions though no operation of ours changed it: `foreign` has the rules, which are pure."""
