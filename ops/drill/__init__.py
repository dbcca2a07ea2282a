"""`inv prod.drill`: what goes wrong in production, done to this machine's stack while it is used."""
