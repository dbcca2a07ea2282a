"""Changes of a plan: their display, and the refused ones."""

from typing import Any

from groundwork.cloud import changes

GROUP = "aws_db_parameter_group.main"


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


def test_a_parameter_that_counts_after_a_reboot_is_told_where_it_changes() -> None:
    before = [parameter("max_connections", "100", "pending-reboot"), parameter("rds.force_ssl", "1", "immediate")]
    after = [parameter("max_connections", "200", "pending-reboot"), parameter("rds.force_ssl", "0", "immediate")]
    changed = resource(GROUP, ["update"], {"parameter": before}, {"parameter": after})
    renamed = resource(GROUP, ["update"], {"parameter": before, "tags": {}}, {"parameter": before, "tags": {"a": "b"}})
    made = resource(GROUP, ["create"], None, {"parameter": after})

    assert changes.after_a_reboot(plan(changed)) == ["max_connections = 200"]
    assert changes.after_a_reboot(plan(renamed)) == changes.after_a_reboot(plan(made)) == []


def test_only_another_major_version_of_the_database_is_one() -> None:
    versions = [("18.1", "19"), ("18.1", "18"), ("18", "18.2")]
    resources = [
        resource("aws_db_instance.main", ["update"], {"engine_version": before}, {"engine_version": after})
        for before, after in versions
    ]

    found = [changes.other_majors(plan(each)) for each in resources]

    assert found == [[("aws_db_instance.main", "18", "19")], [], []]
    assert (
        changes.other_majors(plan(resource("aws_db_instance.main", ["create"], None, {"engine_version": "19"}))) == []
    )


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
    """Return a resource change in the format of `terraform show -json`."""
    change = {"actions": actions, "before": before, "after": after, "after_unknown": {}, "replace_paths": replace or []}
    return {"address": address, "type": address.removeprefix("data.").partition(".")[0], "change": change}


def parameter(name: str, value: str, apply_method: str) -> dict[str, str]:
    return {"name": name, "value": value, "apply_method": apply_method}
