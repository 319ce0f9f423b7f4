"""What a stranger would add to boundcheck, and the tests that it works."""
