"""What of a plan is told, and what of it is refused."""

from typing import Any

from ops.cloud import changes


def test_what_is_lost_is_told_first_with_the_reason_it_is_made_anew() -> None:
    found = changes.detailed(
        plan(
            resource("aws_ecs_service.web", ["update"], {"task_definition": "web:1", "tags": {}}, {"tags": {}}),
            resource("aws_sns_topic.alarms", ["create"], None, {"name": "alarms"}),
            resource("aws_lb.main", ["no-op"], {"name": "a"}, {"name": "a"}),
            resource("data.aws_ecr_image.pushed", ["read"], None, {}),
            resource("aws_db_instance.main", ["create", "delete"], {"engine": "a"}, {"engine": "b"}, [["engine"]]),
            resource("aws_ecr_repository.web", ["delete"], {"name": "web"}, None),
        )
    )

    assert list(map(str, found)) == [
        "- aws_ecr_repository.web",
        "± aws_db_instance.main  for engine",
        "~ aws_ecs_service.web  task_definition",
        "+ aws_sns_topic.alarms",
    ]
    assert changes.summary(found) == "1 to make, 1 to change, 1 to make anew, 1 to destroy"
    assert [each.address for each in changes.lost_database(found)] == ["aws_db_instance.main"]


def test_a_release_puts_task_definitions_aside_and_nothing_else() -> None:
    definition = resource("aws_ecs_task_definition.web[0]", ["delete", "create"], {}, {}, [["container_definitions"]])
    group = resource("aws_security_group.of", ["delete", "create"], {}, {}, [["name"]])

    assert changes.beyond_a_release(changes.detailed(plan(definition))) == []
    assert [each.address for each in changes.beyond_a_release(changes.detailed(plan(definition, group)))] == [
        "aws_security_group.of"
    ]


def test_what_terraform_says_while_it_plans_tells_the_same() -> None:
    said = [
        {"resource": {"addr": address, "resource_type": address.partition(".")[0]}, "action": action}
        for address, action in (("aws_db_instance.main", "replace"), ("aws_lb.main", "noop"), ("aws_lb.other", "move"))
    ]

    found = changes.told(said)

    assert list(map(str, found)) == ["± aws_db_instance.main"]
    assert changes.lost_database(found) == found


def test_a_plan_without_changes_says_so() -> None:
    assert changes.summary(changes.detailed({})) == "nothing would change"


def plan(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resource_changes": list(resources)}


def resource(
    address: str, actions: list[str], before: object, after: object, replace: list[list[str]] | None = None
) -> dict[str, Any]:
    """As `terraform show -json` tells it."""
    change = {"actions": actions, "before": before, "after": after, "after_unknown": {}, "replace_paths": replace or []}
    return {"address": address, "type": address.removeprefix("data.").partition(".")[0], "change": change}
