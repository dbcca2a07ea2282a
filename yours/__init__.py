"""What makes a copy of this project yours: `copier` runs it."""
