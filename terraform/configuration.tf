# What stands in config/production.json, and what follows from it.
locals {
  configuration = jsondecode(file(var.configuration))
  cloud         = local.configuration.cloud
  name          = local.cloud.name
  web           = local.configuration.containers.web
  migrate       = local.configuration.containers.migrate
  database      = local.configuration.containers.db

  image = "^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9._/-]+:[A-Za-z0-9._-]+$"

  # Secrets of others than the service: of the role that migrates, and of the proxy on one machine.
  not_the_services = ["MIGRATOR_PASSWORD", "TLS_CERTIFICATE", "TLS_KEY"]

  # What only AWS knows, over what the file says.
  environment = merge(local.configuration.environment, {
    POSTGRES_HOST = aws_db_instance.main.address
    POSTGRES_PORT = aws_db_instance.main.port
    PGSSLMODE     = "require" # the database refuses anything else; libpq would try without first where it is refused
  })
  secrets = { for name in setsubtract(local.configuration.secrets, local.not_the_services) : name => aws_secretsmanager_secret.of[name].arn }
}
