POST = {"title": "First", "body": "Hello"}


def test_a_post_is_listed(client):
    client.post("/posts", json=POST)

    assert [post["title"] for post in client.get("/posts").json] == ["First"]


def test_there_are_no_posts_at_first(client):
    assert client.get("/posts").json == []
