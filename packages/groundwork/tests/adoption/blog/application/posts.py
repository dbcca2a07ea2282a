from flask import Blueprint, jsonify, request

from application.extensions import db
from application.models import Post

posts = Blueprint("posts", __name__)


@posts.get("/posts")
def list_posts():
    found = db.session.scalars(db.select(Post).order_by(Post.id))
    return jsonify([{"id": post.id, "title": post.title} for post in found])


@posts.post("/posts")
def add_post():
    post = Post(title=request.json["title"], body=request.json["body"])
    db.session.add(post)
    db.session.commit()
    return jsonify({"id": post.id}), 201
