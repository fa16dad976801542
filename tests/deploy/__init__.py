"""What stands in deploy/ and the container image, held to what programs and people ask of them."""
