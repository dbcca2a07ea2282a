resource "aws_db_instance" "main" {
  identifier     = local.name
  engine         = "postgres"
  engine_version = local.postgres_version
  instance_class = local.cloud.database.instance_class
  multi_az       = local.cloud.database.standby

  storage_type          = "gp3"
  storage_encrypted     = true
  allocated_storage     = local.cloud.database.storage_gb
  max_allocated_storage = local.cloud.database.storage_max_gb

  # `migrate` creates the service's database and roles. RDS manages the password; no state contains it.
  username                    = "master"
  manage_master_user_password = true

  port                   = local.database_port
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.of["database"].id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.main.name

  backup_retention_period    = local.cloud.database.backup_days
  backup_window              = "02:00-03:00"
  maintenance_window         = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot      = true
  auto_minor_version_upgrade = true
  deletion_protection        = var.protected
  final_snapshot_identifier  = "${local.name}-last"

  enabled_cloudwatch_logs_exports = ["postgresql"]
  performance_insights_enabled    = true # 7 days of history are free

  lifecycle {
    # A replacement fails before it touches the existing database, because the name is taken.
    create_before_destroy = true
  }

  depends_on = [aws_cloudwatch_log_group.database] # otherwise RDS creates it, without a retention limit
}

resource "aws_db_subnet_group" "main" {
  name_prefix = "${local.name}-"
  subnet_ids  = local.private_subnets

  lifecycle {
    create_before_destroy = true
  }
}

# Same settings as in compose/production.yml.
resource "aws_db_parameter_group" "main" {
  name_prefix = "${local.name}-"
  family      = "postgres${local.postgres_version}"

  dynamic "parameter" {
    for_each = {
      "rds.force_ssl"              = 1
      "max_connections"            = local.database.max_connections
      "log_min_duration_statement" = local.database.slow_statement_ms
      "log_parameter_max_length"   = 0
      "log_error_verbosity"        = "terse"
    }
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = parameter.key == "max_connections" ? "pending-reboot" : "immediate"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  postgres_version = split(":", local.configuration.images.postgres)[1]
}
