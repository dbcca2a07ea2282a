"""A rehearsal: migrations, one after the other, on data and under queries, and what they cost those who wait."""
