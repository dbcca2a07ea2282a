"""Plans and times of the app's queries on a scenario's database."""
