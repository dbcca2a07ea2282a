# What runs: the same containers as in compose/production.yml, from the same values.
locals {
  # Fargate sells these sizes only: CPU units, and the memory that goes with them, in MiB.
  sizes = flatten([for size in [
    { cpu = 256, memory = [512, 1024, 2048] },
    { cpu = 512, memory = range(1024, 4097, 1024) },
    { cpu = 1024, memory = range(2048, 8193, 1024) },
    { cpu = 2048, memory = range(4096, 16385, 1024) },
    { cpu = 4096, memory = range(8192, 30721, 1024) },
    { cpu = 8192, memory = range(16384, 61441, 4096) },
    { cpu = 16384, memory = range(32768, 122881, 8192) },
  ] : [for memory in size.memory : { cpu = size.cpu, memory = memory }]])

  # The smallest that holds the container, which keeps its own limits in it.
  size = { for name, container in { web = local.web, migrate = local.migrate } : name => [
    for each in local.sizes : each if each.cpu >= container.cpus * 1024 && each.memory >= container.memory_mb
  ][0] }

  container = {
    readonlyRootFilesystem = true
    essential              = true
    user                   = local.web.user
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
  }
}

resource "aws_ecs_task_definition" "web" {
  count = var.web_image == "" ? 0 : 1

  family                   = "${local.name}-web"
  skip_destroy             = true # what is rolled back to must be active still
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.size.web.cpu
  memory                   = local.size.web.memory
  execution_role_arn       = aws_iam_role.execution["web"].arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([merge(local.container, {
    name         = "web"
    image        = var.web_image
    cpu          = floor(local.web.cpus * 1024)
    memory       = local.web.memory_mb
    stopTimeout  = local.web.stop_grace_s
    portMappings = [{ containerPort = local.service_port, hostPort = local.service_port, protocol = "tcp" }]
    environment  = [for name, value in local.environment : { name = name, value = local.text[name] }]
    secrets      = [for name, arn in local.secrets : { name = name, valueFrom = arn }]
    mountPoints  = [for name, path in local.written : { sourceVolume = name, containerPath = path, readOnly = false }]
    healthCheck = {
      command     = concat(["CMD"], local.web.health.command)
      interval    = local.web.health.interval_s
      timeout     = local.web.health.timeout_s
      retries     = local.web.health.retries
      startPeriod = local.web.health.start_period_s
    }
    logConfiguration = local.log["web"]
  })])

  dynamic "volume" {
    for_each = local.written
    content {
      name = volume.key
    }
  }

  depends_on = [data.aws_ecr_image.must_be_pushed]
}

resource "aws_ecs_task_definition" "migrate" {
  count = var.migrate_image == "" ? 0 : 1

  family                   = "${local.name}-migrate"
  skip_destroy             = true # what is rolled back to must be active still
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.size.migrate.cpu
  memory                   = local.size.migrate.memory
  execution_role_arn       = aws_iam_role.execution["migrate"].arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([merge(local.container, {
    name            = "migrate"
    image           = var.migrate_image
    cpu             = floor(local.migrate.cpus * 1024)
    memory          = local.migrate.memory_mb
    stopTimeout     = local.migrate.stop_grace_s
    linuxParameters = { capabilities = { drop = ["ALL"] }, initProcessEnabled = true }
    # The database and its roles are made by the first run, and given their passwords by each.
    command          = ["sh", "-ec", "python roles.py && python -m alembic upgrade head"]
    environment      = [for name, value in local.migrating : { name = name, value = value }]
    secrets          = [for name, arn in local.migrating_secrets : { name = name, valueFrom = arn }]
    mountPoints      = [{ sourceVolume = "tmp", containerPath = local.written.tmp, readOnly = false }]
    logConfiguration = local.log["migrate"]
  })])

  volume {
    name = "tmp"
  }

  depends_on = [data.aws_ecr_image.must_be_pushed]
}

locals {
  # Values as ops/configuration.py writes them into an environment.
  text = { for name, value in local.environment : name => value == true ? "1" : value == false ? "0" : tostring(value) }

  # Fargate knows no tmpfs: volumes that live as long as their task. compose/Dockerfile says who may write there.
  written = { tmp = "/tmp", metrics = "/run/metrics" }

  migrating = merge(local.text, {
    POSTGRES_USER = local.configuration.migrations.role
    APP_USER      = local.configuration.environment.POSTGRES_USER
  })
  migrating_secrets = merge(local.secrets, {
    POSTGRES_PASSWORD = aws_secretsmanager_secret.of["MIGRATOR_PASSWORD"].arn
    APP_PASSWORD      = aws_secretsmanager_secret.of["POSTGRES_PASSWORD"].arn
    MASTER_USER       = "${local.master}:username::"
    MASTER_PASSWORD   = "${local.master}:password::"
  })
  master = one(aws_db_instance.main.master_user_secret).secret_arn

  log = { for use in ["web", "migrate"] : use => {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.service.name
      awslogs-region        = local.cloud.region
      awslogs-stream-prefix = use
      mode                  = "non-blocking" # a log that cannot be written must not keep a request waiting
      max-buffer-size       = "4m"
    }
  } }
}
