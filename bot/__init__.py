"""The bot: the parts that plan, decide, run and talk, and the program that starts them."""
