"""What people say: the door, and one thin module a command."""
