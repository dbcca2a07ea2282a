"""Access to this machine: processes, paths, ports, locks, git, Docker."""
