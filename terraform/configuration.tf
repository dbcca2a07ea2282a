# Values from config/production.json, and derived values.
locals {
  configuration = jsondecode(file(var.configuration))
  cloud         = local.configuration.cloud
  name          = local.cloud.name
  web           = local.configuration.containers.web
  proxy         = local.configuration.containers.proxy
  migrate       = local.configuration.containers.migrate
  database      = local.configuration.containers.db

  image = "^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9._/-]+:[A-Za-z0-9._-]+$"

  # Secrets that the service does not use: those of the migration role, and of nginx on a single machine.
  not_the_services = ["MIGRATOR_PASSWORD", "TLS_CERTIFICATE", "TLS_KEY"]

  # Values that only AWS knows override those of the file.
  environment = merge(local.configuration.environment, {
    POSTGRES_HOST = aws_db_instance.main.address
    POSTGRES_PORT = aws_db_instance.main.port
    PGSSLMODE     = "require" # the database refuses plain connections, and libpq's default could fall back to one
  })
  secrets = { for name in setsubtract(local.configuration.secrets, local.not_the_services) : name => aws_secretsmanager_secret.of[name].arn }
}
