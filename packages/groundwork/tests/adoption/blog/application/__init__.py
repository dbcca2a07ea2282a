from flask import Flask

from application.config import CONFIGS
from application.extensions import db, migrate
from application.posts import posts


def create_app(config_name="development"):
    app = Flask(__name__)
    app.config.from_object(CONFIGS[config_name])
    db.init_app(app)
    migrate.init_app(app, db)
    app.register_blueprint(posts)
    return app
