"""Resources of a stage in moto, as Terraform would create them."""

import time
from collections.abc import Callable
from typing import Any

from groundwork.cloud.context import Stage
from groundwork.system.paths import NAME
from packages.groundwork.tests.aws import REGION

GROUP = f"/{NAME}/service"
URL = "https://shop.example.com"


def create(client: Callable[[str], Any]) -> dict[str, Any]:
    """Create a service with two tasks of version v1, without its images, and return Terraform's outputs."""
    ecs, ec2 = client("ecs"), client("ec2")
    repository = client("ecr").create_repository(repositoryName=NAME)["repository"]["repositoryUri"]
    client("logs").create_log_group(logGroupName=GROUP)
    ecs.create_cluster(clusterName=NAME)
    define(ecs, "web", f"{repository}:v1")
    define(ecs, "command", f"{repository}:v1")
    define(ecs, "migrate", f"{repository}:v1")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    groups = [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]]
    ecs.create_service(cluster=NAME, serviceName=f"{NAME}-web", taskDefinition=f"{NAME}-web:1", desiredCount=2)
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups}}
    ecs.run_task(
        cluster=NAME,
        launchType="FARGATE",
        taskDefinition=f"{NAME}-web:1",
        count=2,
        group=f"service:{NAME}-web",
        networkConfiguration=network,
    )
    client("rds").create_db_instance(
        DBInstanceIdentifier=NAME, Engine="postgres", DBInstanceClass="db.t4g.small", AllocatedStorage=20,
        MasterUsername="master", MasterUserPassword="the test's own",
    )  # fmt: skip
    return {
        "cluster": NAME, "service": f"{NAME}-web", "repository_url": repository, "url": URL, "log_group": GROUP,
        "web_family": f"{NAME}-web", "command_family": f"{NAME}-command", "migrate_family": f"{NAME}-migrate",
        "subnets": subnets, "migrate_security_groups": groups,
    }  # fmt: skip


def define(ecs: Any, use: str, image: str) -> str:
    names = {"web": ["web", "proxy"], "command": ["web"], "migrate": ["migrate"]}[use]
    containers = [
        {
            "name": name,
            "image": image.replace(":", ":proxy-") if name == "proxy" else image,
            "memory": 256,
            "essential": True,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": name},
            },
        }
        for name in names
    ]
    registered = ecs.register_task_definition(
        family=f"{NAME}-{use}", networkMode="awsvpc", containerDefinitions=containers
    )
    return str(registered["taskDefinition"]["taskDefinitionArn"])


def write(standing: Stage, stream: str, *messages: str) -> None:
    logs, now = standing.client("logs"), int(time.time() * 1000)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": now + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
