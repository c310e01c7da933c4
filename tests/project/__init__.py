"""The files around the code: how it is set up, locked and packed."""
