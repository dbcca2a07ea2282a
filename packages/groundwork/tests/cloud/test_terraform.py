"""Messages for Terraform's errors, and for a missing or old Terraform."""

import os
import stat
from pathlib import Path

import pytest

from groundwork.cloud import terraform
from groundwork.system.errors import Exit


def test_a_complaint_is_a_line_with_its_place() -> None:
    told = terraform.complaint(
        {
            "summary": "Invalid value for variable",
            "detail": 'web_image: should be\nREPOSITORY_URL:VERSION, got "nonsense"',
            "range": {"filename": "variables.tf", "start": {"line": 7}},
        }
    )

    assert told == (
        "terraform/variables.tf:7: Invalid value for variable: "
        'web_image: should be REPOSITORY_URL:VERSION, got "nonsense"'
    )


def test_a_complaint_about_a_resource_names_it() -> None:
    told = terraform.complaint({"summary": "creating ECS Cluster", "detail": "", "address": "aws_ecs_cluster.main"})

    assert told == "aws_ecs_cluster.main: creating ECS Cluster"


def test_without_terraform_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Exit) as refused:
        terraform.require()

    assert str(refused.value) == (
        "inv cloud needs terraform 1.11 or newer, and there is none on PATH: "
        "install it (https://developer.hashicorp.com/terraform/install)"
    )


@pytest.mark.parametrize(("version", "suits"), [("1.9.8", False), ("1.11.0", True), ("2.0.1", True)])
def test_a_terraform_that_is_too_old_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, suits: bool
) -> None:
    """A fake `terraform version` simulates versions that the machine does not have."""
    program = tmp_path / "terraform"
    program.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    if suits:
        terraform.require()
        return
    with pytest.raises(Exit) as refused:
        terraform.require()
    assert str(refused.value).startswith(f"inv cloud needs terraform 1.11 or newer, found {version}: install it")
