"""What `copier` runs in each copy of this project: gives it its name, and takes out what speaks of things left behind.

It has to make the same of the same files each time, since an update compares what the old version gives with
what the new one does. Called by the Python that copier has, with the standard library alone.
"""

import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from yours.shop import SHOP, WORDS, WORDS_OF_TESTS, Change

OURS = "groundwork"
DEPENDENCIES = {
    "always": ["benchmarks", "check-jsonschema", "copier", "jactionlint", "markdown-it-py", "zizmor"],
    "aws": ["boto3", "moto"],
    "shop": ["aiohttp", "axe-playwright-python", "blinker", "playwright"],
}
"""The packages, and the groups of packages, that nothing needs in a copy without that part."""

KINDS = (".css", ".html", ".ini", ".json", ".md", ".py", ".sh", ".toml", ".yml", "run", "smoke")

INTRODUCTION = """\
# Groundwork

A Flask and PostgreSQL service that is tested, run and released in the same way on every machine. It was made from
{template}, and `uvx copier update --trust` brings what has changed there since.

## Two commands
"""
WHERE_IT_RUNS = """\
## Where it runs

On Linux and macOS, with a Docker Engine or without. On Windows, `./inv` cannot run, as it is a shell script: install
[uv](https://docs.astral.sh/uv/) and type `uv run inv dev`, or use WSL 2.

"""

MENTIONS: dict[str, dict[str, list[Change]]] = {
    "always": {
        ".ci/run": [
            r"^# It begins on the machines of newcomers.*\n",
            r"^# The tests that depend on who runs them(?s:.*?)(?=^have_engine)",
            r"^if \[\[ \$\(id -u\) == 0 \]\] && command -v apt-get(?s:.*?)(?=^if ! have_engine)",
            r"^step 'a bare Debian 12.*\njoined\n",
            (r"what needs more than a bare machine.*(?=')", "the suite"),
            r"^\./inv test -- -m .*\n",
            (r"^\./inv test -- --no-cov tests/app.*", "./inv test"),
            (r"newcomer_contract_and_benchmarks", "contract"),
            r"^  DOCKER_HOST=.* \.ci/newcomer\n",
            r"the pages for newcomers, typed; ",
            r"^  \./inv bench\..*\n",
            r"^# What benchmarks find.*\nbenchmarks_of_stacks\(\) \{\n\}\n",
            r"; benchmarks, at a small size",
            r"^beside benchmarks_of_stacks\n(?s:.*?)(?=^step 'done')",
        ],
        "README.md": [
            r"\| `inv bench.*\n",
            r"\[Contributing\].*(?=\[the license\])",
            r"## From this project to yours\n(?s:.*?)(?=## )",
            (r"## Where it runs\n(?s:.*?)(?=## )", WHERE_IT_RUNS),
        ],
        "docs/architecture.md": [
            r" bench\.py",
            r"benchmarks/ .*\n(  .*\n)+",
            r"copier\.yml .*\n",
            r"\.ci/copy .*\n",
            r"yours/ .*\n(  .*\n)*",
            r" `tests/ops/test_layout\.py` keeps the arrows\.",
            (r"mirrors app/ and ops/", "mirrors app/"),
            r"  docs/                what the pages tell.*\n",
        ],
        "docs/pipelines.md": [r"\n## What holds them to this\n(?s:.*)"],
        "docs/index.md": [r"; \[a project of your own\].* made from this one"],
        "pyproject.toml": [
            r'.*"benchmarks/.*\n',
            r'"benchmarks", ',
            (r'source = \["app", "ops", "scenarios"\]', 'source = ["app", "scenarios"]'),
            r"extend-exclude = .*\n",
            r', "yours/empty"',
            r', "yours"',
            r'exclude = \["\^yours.*\n',
            r'\[\[tool\.mypy\.overrides\]\]\nmodule = "pytest_postgresql.*\n.*\n\n',
        ],
        "tasks.py": [r" bench,", r'.*"bench", .*\n'],
        "tests/app/test_exposition.py": [r"; tests/ops/test_prod\.py has them at once, under gunicorn"],
        "tests/app/test_metrics.py": [r": of one process here, of all that a replica has in tests/ops/test_prod\.py"],
        "tests/container.py": [r"  # docs/decisions/.*"],
        "zensical.toml": [r' *"your-project\.md",\n', r'    \{ "Benchmarks" = \[\n(        .*\n)*    \] \},\n'],
    },
    "aws": {
        ".gitignore": [r"\.terraform/\n"],
        "README.md": [r"\| `inv cloud\..*\n", r"\| `inv config\.parity.*\n"],
        "config/production.json": [r',\n  "cloud": \{\n(    .*\n)*  \}'],
        "docs/architecture.md": [
            r"^ *terraform/ .*\n",
            r"^  cloud/ .*\n",
            r"^  aws\.py .*\n",
            r"- \*\*A value, to AWS\*\*(.*\n)(  .*\n)*",
            r"- \*\*A deploy, on AWS\*\*(.*\n)(  .*\n)*",
            r"## The stack on AWS\n(?s:.*?)(?=^## )",
        ],
        "docs/configuration.md": [r"\n## Where it arrives\n(?s:.*)"],
        "docs/pipelines.md": [r"\n## Deploying from GitHub\n(?s:.*?)(?=\n^## |\Z)"],
        "docs/testing.md": [r"^## A stack on AWS\n(?s:.*?)(?=^## )"],
        "ops/lint.py": [r'    "config\.parity": .*\n'],
        "pyproject.toml": [r'\[\[tool\.mypy\.overrides\]\]\nmodule = \["boto3.*\n.*\n\n', r'    "terraform: .*\n'],
        "tests/run.py": [
            r"from tests\.terraform import provider\n",
            r'    if item\.get_closest_marker\("terraform"\).*\n.*\n|    "terraform": .*\n',
        ],
        "tasks.py": [r"from ops\.(cloud|parity) .*\n", r'.*"cloud", .*\n', r"(?<=config), parity"],
        "zensical.toml": [r'.*"(cloud|deploy)\.md".*\n'],
    },
    "github": {
        "docs/architecture.md": [r"\.github/ (?=\.circleci)", r"; \.github/renovate.*"],
        "docs/pipelines.md": [r"\| GitHub Actions .*\n", r"\n## Deploying from GitHub\n(?s:.*?)(?=\n^## |\Z)"],
    },
    "circleci": {"docs/pipelines.md": [r"\| CircleCI .*\n"]},
    "jenkins": {"docs/pipelines.md": [r"\| Jenkins .*\n"]},
    "shop": SHOP,
}
"""By what is left behind, what is deleted from which file. Each has to be found: else the file has moved on alone."""
NOTE = r"(?m)^(?: *<!-- (?:not )?run\b[^>]*-->|SKIPPED .* tests/ops/.*)\n"
"""What pages say of tests that stay behind: to the one that types what they show, and in the output of a run."""
VENDORED = "app/reference/static/"


def run() -> None:
    """In the copy, with the arguments that copier.yml gives."""
    main(Path(sys.argv[1]), Path.cwd(), *sys.argv[2:])


def main(source: Path, copy: Path, operation: str, name: str, *wanted: str) -> None:
    """Raise SystemExit where the name cannot be one, or where something to delete is not found."""
    refuse(name, (source / "uv.lock").read_text("utf-8"))
    refuse_draft(source)
    copied = set(just_copied(source, copy))
    left_behind = [part for part in MENTIONS if part not in wanted]
    for path in sorted(copied):
        try:
            text = before = (copy / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        mentions = dict.fromkeys(each for part in left_behind for each in MENTIONS[part].get(path, []))
        text = without(list(mentions), text, path)
        if "shop" in left_behind and path.endswith(KINDS) and not path.startswith(VENDORED):
            text = reworded(text, path)
        unneeded = [each for part in left_behind for each in DEPENDENCIES.get(part, [])]
        if path.endswith((".md", ".py")):
            text = text.rstrip("\n") + "\n" if text else ""
        if path == "pyproject.toml":
            text = without_dependencies(unneeded, text)
        if path.endswith(".md"):
            text = without_links(re.sub(NOTE, "", text), path, copied)
        if path != "LICENSE":  # which names those who wrote what was copied
            text = renamed(text, name)
        if path == "uv.lock":
            text = locked(unneeded, text)
        if path == "README.md":
            introduction = renamed(INTRODUCTION, name).format(template=OURS.title())
            text = introduction + text.partition("## Two commands\n")[2]
        if text != before:
            (copy / path).write_text(text, "utf-8", newline="")
    if "shop" in left_behind:
        add(source / "yours" / "empty", copy, copied, name)
    if operation == "copy":  # an update makes one of its own, around the project's folder
        begin(copy)


def refuse(name: str, lock: str) -> None:
    taken = {"postgres", "template0", "template1", *re.findall(r'^name = "(.*)"$', lock, re.MULTILINE)} - {OURS}
    if name in taken:
        raise SystemExit(
            f"name: {name} is a package that the project depends on, or a database of every server; choose another"
        )


def refuse_draft(source: Path) -> None:
    """Raise SystemExit if copier has committed, in its clone alone, what was not committed: no update could find it."""
    if git("log", "-1", "--format=%ae", at=source).stdout.strip() == b"copier@copier":
        raise SystemExit(
            "what would be copied has changes that are not committed, so that no update could find it; "
            "commit or stash them there first"
        )


def just_copied(source: Path, copy: Path) -> Iterator[str]:
    """What copier has put there as it stands, and not what the project has under the same name."""
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        twin = copy / relative
        if relative.parts[0] != ".git" and path.is_file() and twin.is_file() and path.read_bytes() == twin.read_bytes():
            yield relative.as_posix()


def without(changes: list[Change], text: str, path: str) -> str:
    for change in changes:
        pattern, instead = (change, "") if isinstance(change, str) else change
        text, found = re.subn(f"(?m){pattern}", instead, text)
        if not found:
            raise SystemExit(f"yours/make.py: MENTIONS: {path} has nothing that matches {pattern}")
    return text


def reworded(text: str, path: str) -> str:
    for pattern, instead in [*(WORDS_OF_TESTS if path.startswith("tests/") else []), *WORDS]:
        text = re.sub(pattern, instead, text)
    return text


def add(overlay: Path, copy: Path, copied: set[str], name: str) -> None:
    """What an app without the shop has, each file under its path; `.end` goes to the end of one that was copied."""
    for path in sorted(each for each in overlay.rglob("*") if each.is_file()):
        relative = path.relative_to(overlay).as_posix()
        target = copy / relative.removesuffix(".end")
        text = renamed(path.read_text("utf-8"), name)
        if not relative.endswith(".end"):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8", newline="")
        elif relative.removesuffix(".end") in copied:
            target.write_text(target.read_text("utf-8").rstrip("\n") + "\n" + text, "utf-8", newline="")


def without_links(text: str, path: str, copied: set[str]) -> str:
    """To files that were left behind: an entry of a list goes whole, and of a sentence only what leads there."""

    link = r"\[(?P<text>[^]]*)\]\((?P<target>(?!https?:|#|/)[^)#]+)(#[^)]*)?\)"

    def cut(found: re.Match[str], kept: str = "") -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), found["target"]))
        there = any(each == target or each.startswith(f"{target}/") for each in copied)
        return found[0] if there else found.expand(kept)

    for whole in (rf"(?m)^(-|\d+\.) [^[\n]*{link}[^[\n]*\n(  .*\n)*", rf"(?m)^!{link}\n\n", rf"\s\({link}\.?\)"):
        text = re.sub(whole, cut, text)
    return re.sub(link, partial(cut, kept=r"\g<text>"), text)


def renamed(text: str, name: str) -> str:
    return text.replace(OURS, name).replace(OURS.title(), name.replace("-", " ").title())


def without_dependencies(names: list[str], text: str) -> str:
    """In pyproject.toml, or in the project's own part of uv.lock."""
    any_of = "|".join(names)
    text = re.sub(rf"(?m)^({any_of}) = \[(.*\]|\n(    .*\n)*\])\n", "", text)
    return re.sub(rf'(?m)^    (\{{ name = )?"({any_of})["\[>=~].*,\n', "", text)


def begin(copy: Path) -> None:
    """Make it a repository, unless it is in one: tests and releases ask git which files there are."""
    if git("rev-parse", "--git-dir", at=copy).returncode:
        git("init", "--quiet", at=copy).check_returncode()


def git(*arguments: str, at: Path) -> "subprocess.CompletedProcess[bytes]":
    """Run git on the repository of that folder, whatever repository the environment names, as it does for hooks."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *arguments], cwd=at, env=environment, capture_output=True, check=False)


def locked(unneeded: list[str], text: str) -> str:
    """The lock as uv would write it: the packages by name, and none that nothing needs any more."""
    head, *packages = re.split(r"\n(?=\[\[package\]\]\n)", text)
    named: dict[str, list[str]] = {}
    found = set()
    for package in packages:
        name = package.split('"', 2)[1]
        if 'source = { virtual = "." }' in package:
            found = {name}
            package = without_dependencies(unneeded, package)
        named.setdefault(name, []).append(package.rstrip("\n") + "\n")
    needed: set[str] = set()
    while found:
        needed |= found
        found = {
            each for name in found for it in named[name] for each in re.findall(r'\{ name = "([^"]*)"', it)
        } - needed
    return "\n".join([head, *(package for name in sorted(needed) for package in named[name])])
