"""Differences between two task definitions."""

from copy import deepcopy
from typing import Any

from groundwork.cloud import differences

RUNS: dict[str, Any] = {
    "cpu": "512",
    "memory": "1024",
    "taskRoleArn": "arn:aws:iam::1:role/task",
    "revision": 7,
    "containerDefinitions": [
        {
            "name": "web",
            "image": "shop:v1",
            "essential": True,
            "stopTimeout": 15,
            "portMappings": [{"containerPort": 8000}],
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "secrets": [{"name": "SECRET_KEY", "valueFrom": "arn:aws:secretsmanager:1"}],
            "linuxParameters": {"initProcessEnabled": False},
            "volumesFrom": [],
        }
    ],
}


def test_the_same_has_no_differences_whatever_ecs_adds() -> None:
    would = deepcopy(RUNS)
    would["cpu"] = 512
    del would["revision"], would["containerDefinitions"][0]["volumesFrom"]
    would["containerDefinitions"][0]["environment"].reverse()

    assert differences.between(RUNS, would) == []


def test_each_name_and_value_that_differs_is_told() -> None:
    would = deepcopy(RUNS)
    container = would["containerDefinitions"][0]
    would["memory"] = 2048
    container["image"] = "shop:v2"
    container["environment"] = [{"name": "A", "value": "3"}, {"name": "C", "value": "4"}]
    container["secrets"] = []
    container["linuxParameters"] = {"initProcessEnabled": True}

    assert differences.between(RUNS, would) == [
        ("memory", "1024", "2048"),
        ("web/environment/A", "1", "3"),
        ("web/environment/B", "2", "–"),
        ("web/environment/C", "–", "4"),
        ("web/secrets/SECRET_KEY", "arn:aws:secretsmanager:1", "–"),
        ("web/image", "shop:v1", "shop:v2"),
        ("web/linuxParameters/initProcessEnabled", "–", "True"),
    ]


def test_a_container_that_is_new_differs_by_all_that_it_has() -> None:
    would = deepcopy(RUNS)
    would["containerDefinitions"].append({"name": "proxy", "image": "shop:proxy-v1", "environment": []})

    assert differences.between(RUNS, would) == [
        ("proxy/image", "–", "shop:proxy-v1"),
        ("proxy/name", "–", "proxy"),
    ]
