"""A simulated EC2: moto as a process of its own, filled with images as Fedora's might be."""
