"""What a plan would change, as people read it, and what it may not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATABASE = "aws_db_instance"
ANEW_EACH_TIME = "aws_ecs_task_definition"
"""A revision is never changed: there is another, and the one before is put aside."""
SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
"""Whatever else Terraform tells, such as what is read, changes nothing."""


@dataclass(frozen=True)
class Change:
    address: str
    kind: str
    sign: str
    names: tuple[str, ...] = ()
    """Of the attributes that become others."""
    forced_by: tuple[str, ...] = ()
    """Those for which it is made anew."""

    @property
    def loses(self) -> bool:
        """Something that is there."""
        return self.sign in ("-", "±")

    def __str__(self) -> str:
        why = f"  for {', '.join(self.forced_by)}" if self.forced_by else ""
        names = f"  {', '.join(self.names)}" if self.sign == "~" else ""
        return f"{self.sign} {self.address}{why or names}"


def told(events: Sequence[Mapping[str, Any]]) -> list[Change]:
    """From what `terraform plan` says meanwhile: which they are, and not what changes of each."""
    found = [
        Change(each["resource"]["addr"], each["resource"]["resource_type"], SIGNS[each["action"]])
        for each in events
        if each["action"] in SIGNS
    ]
    return _sorted(found)


def detailed(plan: Mapping[str, Any]) -> list[Change]:
    """From what `terraform show` says of a plan."""
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


def beyond_a_release(changes: list[Change]) -> list[Change]:
    """What is lost besides the task definitions that a release puts aside."""
    return [each for each in changes if each.loses and each.kind != ANEW_EACH_TIME]


def _sorted(changes: list[Change]) -> list[Change]:
    """What is lost first."""
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
