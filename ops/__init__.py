"""What the tasks do: one module a collection of tasks, beside the few that these share."""
