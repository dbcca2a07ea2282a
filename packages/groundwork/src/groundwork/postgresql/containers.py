"""Setup of PostgreSQL containers for development and scenarios."""

from groundwork.configuration.loader import Configuration
from groundwork.system import shell


def set_password(configuration: Configuration, container: str) -> None:
    """Set the configured password. A volume keeps the old one if the secrets in .local were deleted since."""
    role, password = configuration["POSTGRES_USER"], configuration["POSTGRES_PASSWORD"]
    shell.read(
        [
            *("docker", "exec", "--interactive", container),
            *("psql", "--quiet", "--username", role, "--dbname", configuration["POSTGRES_DB"]),
            *("--set", f"role={role}", "--set", f"password={password}"),
        ],
        stdin="ALTER ROLE :\"role\" PASSWORD :'password'",
    )
