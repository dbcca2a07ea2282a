"""What every container with a PostgreSQL needs, development's and a scenario's."""

from ops import shell
from ops.configuration import Configuration


def give_password(configuration: Configuration, container: str) -> None:
    """A volume outlives .local: when the secrets there were deleted, it knows an older password than ours."""
    role, password = configuration["POSTGRES_USER"], configuration["POSTGRES_PASSWORD"]
    shell.read(
        [
            *("docker", "exec", "--interactive", container),
            *("psql", "--quiet", "--username", role, "--dbname", configuration["POSTGRES_DB"]),
            *("--set", f"role={role}", "--set", f"password={password}"),
        ],
        stdin="ALTER ROLE :\"role\" PASSWORD :'password'",
    )
