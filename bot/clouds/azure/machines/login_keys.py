"""Which public keys Azure itself puts into a machine."""

TAKEN_KEYS = ("ssh-rsa ", "ssh-ed25519 ")
"""How those begin. Azure refuses a machine with any other in its ``osProfile``; cloud-init takes the others where
``user_data`` has them. Source: “SSH keys for Linux virtual machines”."""

LEFT_TO_IMAGE = (
    "is of a kind that Azure does not put in itself, as it takes RSA and Ed25519 alone: only an image that runs "
    "cloud-init lets it in"
)
