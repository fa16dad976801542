"""What `slipway policy` answers by a configuration alone: who would be asked, and whether that is as expected."""
