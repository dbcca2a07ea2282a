"""Checks of the documentation site that Zensical's strict build, `inv docs.build`, does not make."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwork.configuration import reference_docs
from groundwork.system import paths
from packages.groundwork.tests.docs import pages


@pytest.mark.parametrize("page", pages.every(), ids=lambda page: str(page.relative_to(paths.ROOT)))
def test_a_link_leads_to_what_is_there(page: Path) -> None:
    """A link between pages must work in the site too, not only in the repository's web view."""
    within = paths.ROOT if page == pages.README else pages.DOCS

    targets = {link: (page.parent / link).resolve() for link in pages.links(page)}

    assert not {link for link, target in targets.items() if not (target.exists() and target.is_relative_to(within))}


def test_the_navigation_leads_to_every_page() -> None:
    reached: set[Path] = set()
    ahead = {(pages.DOCS / name).resolve() for name in _names(_navigation())}
    while ahead:
        page = ahead.pop()
        reached.add(page)
        found = {(page.parent / link).resolve() for link in pages.links(page) if link.endswith(".md")}
        ahead |= found - reached

    left_out = {*pages.every()} - {pages.README} - reached
    assert not left_out, "zensical.toml has the navigation"


def test_a_decision_has_a_number_of_its_own_and_its_place_in_the_list() -> None:
    folder = pages.DOCS / "decisions"
    names = sorted(path.name for path in folder.glob("0*.md"))

    assert len({name[:4] for name in names}) == len(names)
    listed = [link for link in pages.links(folder / "README.md") if link in names]
    assert listed == names
    assert not [name for name in names if not (folder / name).read_text("utf-8").startswith(f"# {int(name[:4])}. ")]


def test_the_readme_leads_to_every_page_of_the_navigation_or_to_one_that_does() -> None:
    linked = set(pages.links(pages.README))

    assert {f"docs/{name}" for name in _names(_navigation()) if "/" not in name} - {"docs/index.md"} <= linked


def test_pages_that_are_made_from_what_they_describe_are_current() -> None:
    old = [path.name for path, text in reference_docs.pages().items() if path.read_text("utf-8") != text]

    assert not old, "./inv docs.write writes them anew"


def _navigation() -> Any:
    return tomllib.loads((paths.ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]


def _names(entries: Any) -> Iterator[str]:
    if isinstance(entries, str):
        yield entries
    else:
        for entry in entries.values() if isinstance(entries, dict) else entries:
            yield from _names(entry)
