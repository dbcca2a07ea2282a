"""Readable changes of a Terraform plan, and filters for the changes that are not allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATABASE = "aws_db_instance"
PARAMETERS = "aws_db_parameter_group"
ANEW_EACH_TIME = "aws_ecs_task_definition"
"""ECS never updates a revision: Terraform registers a new one and deregisters the previous one."""
SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
"""Terraform's other actions, such as `read`, change nothing."""


@dataclass(frozen=True)
class Change:
    address: str
    kind: str
    sign: str
    names: tuple[str, ...] = ()
    """Changed attributes."""
    forced_by: tuple[str, ...] = ()
    """Attributes that force the replacement."""

    @property
    def loses(self) -> bool:
        """Return whether the change deletes or replaces an existing resource."""
        return self.sign in ("-", "±")

    def __str__(self) -> str:
        why = f"  for {', '.join(self.forced_by)}" if self.forced_by else ""
        names = f"  {', '.join(self.names)}" if self.sign == "~" else ""
        return f"{self.sign} {self.address}{why or names}"


def told(events: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return the changes in the events of `terraform plan`. They have no attributes."""
    found = [
        Change(each["resource"]["addr"], each["resource"]["resource_type"], SIGNS[each["action"]])
        for each in events
        if each["action"] in SIGNS
    ]
    return _sorted(found)


def detailed(plan: Mapping[str, Any]) -> list[Change]:
    """Return the changes of a plan, with their attributes, from the output of `terraform show`."""
    resources = [(each, _action(each["change"]["actions"])) for each in plan.get("resource_changes", [])]
    return _sorted([_change(each, SIGNS[action]) for each, action in resources if action in SIGNS])


def summary(changes: list[Change]) -> str:
    if not changes:
        return "nothing would change"
    words = {"+": "to make", "~": "to change", "±": "to make anew", "-": "to destroy"}
    signs = [each.sign for each in changes]
    return ", ".join(f"{signs.count(sign)} {word}" for sign, word in words.items() if sign in signs)


def lost_database(changes: list[Change]) -> list[Change]:
    return [each for each in changes if each.kind == DATABASE and each.loses]


def other_majors(plan: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return each database of `terraform show` whose major version changes, with the versions before and after."""
    found = []
    for each in plan.get("resource_changes", []):
        before, after = (_major(each["change"][side] or {}) for side in ("before", "after"))
        if each["type"] == DATABASE and before and after and before != after:
            found.append((each["address"], before, after))
    return found


def _major(database: Mapping[str, Any]) -> str:
    return str(database.get("engine_version", "")).partition(".")[0]


def beyond_a_release(changes: list[Change]) -> list[Change]:
    """Return deletions and replacements, except those of task definitions: every release replaces these."""
    return [each for each in changes if each.loses and each.kind != ANEW_EACH_TIME]


def after_a_reboot(plan: Mapping[str, Any]) -> list[str]:
    """Return the changed parameters of an existing database that need a reboot to take effect: "name = value"."""
    resources = [each for each in plan.get("resource_changes", []) if each["type"] == PARAMETERS]
    updates = [each["change"] for each in resources if each["change"]["actions"] == ["update"]]
    return [
        f"{parameter['name']} = {parameter['value']}"
        for change in updates
        for parameter in change["after"]["parameter"]
        if parameter["apply_method"] == "pending-reboot" and parameter not in change["before"]["parameter"]
    ]


def _sorted(changes: list[Change]) -> list[Change]:
    """Sort by severity, deletions first, and then by address."""
    return sorted(changes, key=lambda each: ("-±~+".index(each.sign), each.address))


def _action(actions: list[str]) -> str:
    return "replace" if len(actions) > 1 else actions[0]


def _change(resource: Mapping[str, Any], sign: str) -> Change:
    change = resource["change"]
    before, after, unknown = (change.get(name) or {} for name in ("before", "after", "after_unknown"))
    names = sorted(
        name for name in {*before, *after, *unknown} if before.get(name) != after.get(name) or unknown.get(name) is True
    )
    forced = sorted({str(path[0]) for path in change.get("replace_paths", []) if path})
    return Change(resource["address"], resource["type"], sign, tuple(names), tuple(forced))
