"""What is registered with ECS: by the service that runs, and by the newest that migrates."""

from invoke.exceptions import Exit

from ops.cloud import account, service
from ops.configuration import Configuration
from ops.parity import definition
from ops.parity.facts import Facts, NotToBeHad


def facts(settings: Configuration) -> Facts:
    """Raises NotToBeHad, where AWS does not answer the caller, or has no service yet."""
    if "cloud" not in settings.document:
        raise NotToBeHad("config/production.json has no section cloud")
    cloud = settings.document["cloud"]
    try:
        with account.told():
            ecs = account.session(cloud["region"]).client("ecs")
            web = service.Service(ecs, cloud["name"], f"{cloud['name']}-web")
            registered = {"web": web.definition(), "migrate": web.definition(f"{cloud['name']}-migrate")}
    except Exit as refusal:
        raise NotToBeHad(str(refusal)) from None
    return definition.facts({name: service.container(each) for name, each in registered.items()})
