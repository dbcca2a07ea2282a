"""Pending settings of the RDS database."""

from typing import Any

PENDING = "pending-reboot"


def reboot_is_due(rds: Any, name: str) -> bool:
    """Return whether a parameter waits for a reboot. RDS never reboots by itself for this."""
    found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBParameterGroups"]
    return any(each["ParameterApplyStatus"] == PENDING for each in found)


def reboot_command(name: str, region: str) -> str:
    return f"aws rds reboot-db-instance --region {region} --db-instance-identifier {name}"
