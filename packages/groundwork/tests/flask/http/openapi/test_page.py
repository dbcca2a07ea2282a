"""Reference page of the API."""

import re

from flask import Flask


def test_everything_on_it_comes_from_this_server(app: Flask) -> None:
    client = app.test_client()

    page = client.get("/api/docs")

    assert page.status_code == 200
    named = re.findall(r'(?:href|src|data-document)="([^"]*)"', page.text)
    assert "/api/openapi.json" in named
    assert [client.get(address, buffered=True).status_code for address in named] == [200] * len(named)


def test_nothing_in_it_needs_a_looser_policy(app: Flask) -> None:
    page = app.test_client().get("/api/docs").text

    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", page)
