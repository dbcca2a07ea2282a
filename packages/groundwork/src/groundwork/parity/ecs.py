"""Settings of the task definitions in ECS: that of the running service, and the newest for migrations."""

from groundwork.cloud import account, service
from groundwork.configuration.loader import Configuration
from groundwork.parity import definition
from groundwork.parity.settings import Settings, Unavailable
from groundwork.system.errors import Exit


def read(configuration: Configuration) -> Settings:
    """Return the registered settings. Raises Unavailable if AWS refuses or has no service yet."""
    if not configuration.has("cloud"):
        raise Unavailable("config/production.json has no section cloud")
    cloud = configuration.cloud
    try:
        with account.told():
            ecs = account.session(cloud.region).client("ecs")
            web = service.Service(ecs, cloud.name, f"{cloud.name}-web")
            registered = [web.definition(), web.definition(f"{cloud.name}-migrate")]
    except Exit as error:
        raise Unavailable(str(error)) from None
    return definition.read({name: each for task in registered for name, each in service.containers(task).items()})
