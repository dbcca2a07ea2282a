"""Docker command line."""

import subprocess


def docker(*arguments: str) -> str:
    return subprocess.check_output(["docker", *arguments], text=True)
