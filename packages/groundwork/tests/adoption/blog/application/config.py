import os


class Config:
    SECRET_KEY = os.environ.get("SECRET_KEY", "development")
    SQLALCHEMY_DATABASE_URI = os.environ.get("DATABASE_URL", "sqlite:///blog.db")


class TestingConfig(Config):
    TESTING = True
    SQLALCHEMY_DATABASE_URI = "sqlite:///:memory:"


CONFIGS = {"development": Config, "testing": TestingConfig, "production": Config}
