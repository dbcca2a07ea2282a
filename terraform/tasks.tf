# Task definitions: the containers of compose/production.yml, from the same values.
locals {
  # Fargate's only sizes: CPU units with the possible memory in MiB.
  sizes = flatten([for size in [
    { cpu = 256, memory = [512, 1024, 2048] },
    { cpu = 512, memory = range(1024, 4097, 1024) },
    { cpu = 1024, memory = range(2048, 8193, 1024) },
    { cpu = 2048, memory = range(4096, 16385, 1024) },
    { cpu = 4096, memory = range(8192, 30721, 1024) },
    { cpu = 8192, memory = range(16384, 61441, 4096) },
    { cpu = 16384, memory = range(32768, 122881, 8192) },
  ] : [for memory in size.memory : { cpu = size.cpu, memory = memory }]])

  # The smallest size that fits the containers of a task, which keep their own limits.
  size = { for task, containers in { web = ["web", "proxy"], command = ["web"], migrate = ["migrate"] } : task => [
    for each in local.sizes : each
    if each.cpu >= sum([for name in containers : local.units[name]]) && each.memory >= sum([for name in containers : local.container[name].memory])
  ][0] }

  limits = { web = local.web, proxy = local.proxy, migrate = local.migrate }
  units  = { for name, limits in local.limits : name => floor(limits.cpus * 1024) }

  container = { for name, limits in local.limits : name => {
    name                   = name
    cpu                    = local.units[name]
    memory                 = limits.memory_mb
    stopTimeout            = limits.stop_grace_s
    readonlyRootFilesystem = true
    essential              = true
    user                   = local.web.user
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = name == "migrate" }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.service.name
        awslogs-region        = local.cloud.region
        awslogs-stream-prefix = name
        mode                  = "non-blocking" # a blocked log must not delay requests
        max-buffer-size       = "4m"
      }
    }
  } }

  # The service without its health check, as commands need it.
  of_web = merge(local.container.web, {
    image       = var.web_image
    environment = [for name, value in local.environment : { name = name, value = local.text[name] }]
    secrets     = [for name, arn in local.secrets : { name = name, valueFrom = arn }]
    mountPoints = [for name, path in local.written : { sourceVolume = name, containerPath = path, readOnly = false }]
  })
}

resource "aws_ecs_task_definition" "web" {
  count = var.web_image == "" ? 0 : 1

  family                   = "${local.name}-web"
  skip_destroy             = true # a rollback needs the previous revision to be active
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

  container_definitions = jsonencode([
    merge(local.of_web, {
      healthCheck = merge(local.check, { command = concat(["CMD"], local.web.health.command, [local.web.health.alive_path]) }) # ECS replaces failing tasks
    }),
    # nginx reads a request to its end before gunicorn sees it. ECS also stops it first, and then gunicorn.
    merge(local.container.proxy, {
      image        = local.proxy_image
      dependsOn    = [{ containerName = "web", condition = "HEALTHY" }]
      portMappings = [{ containerPort = local.proxy_port, hostPort = local.proxy_port, protocol = "tcp" }]
      environment  = [for name, value in local.proxy_environment : { name = name, value = tostring(value) }]
      mountPoints  = [{ sourceVolume = "proxy", containerPath = local.written.tmp, readOnly = false }]
      healthCheck  = merge(local.check, { command = ["CMD", "bash", "/etc/nginx/proxy/answers.sh"] })
    }),
  ])

  dynamic "volume" {
    for_each = toset(concat(keys(local.written), ["proxy"]))
    content {
      name = volume.key
    }
  }

  depends_on = [data.aws_ecr_image.must_be_pushed]
}

# For `inv cloud.exec` and the schedule. In the task of the service, nginx would wait until the command answers requests.
resource "aws_ecs_task_definition" "command" {
  count = var.web_image == "" ? 0 : 1

  family                   = "${local.name}-command"
  skip_destroy             = true # a rollback needs the previous revision to be active
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.size.command.cpu
  memory                   = local.size.command.memory
  execution_role_arn       = aws_iam_role.execution["web"].arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([local.of_web])

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
  skip_destroy             = true # a rollback needs the previous revision to be active
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

  container_definitions = jsonencode([merge(local.container.migrate, {
    image = var.migrate_image
    # The first run creates the database and roles; every run sets the passwords.
    command     = ["sh", "-ec", "python -m groundwork.migrations.roles && python -m alembic upgrade head"]
    environment = [for name, value in local.migrating : { name = name, value = value }]
    secrets     = [for name, arn in local.migrating_secrets : { name = name, valueFrom = arn }]
    mountPoints = [{ sourceVolume = "tmp", containerPath = local.written.tmp, readOnly = false }]
  })])

  volume {
    name = "tmp"
  }

  depends_on = [data.aws_ecr_image.must_be_pushed]
}

locals {
  # Values as strings, formatted as by groundwork.configuration.loader.
  text = { for name, value in local.environment : name => value == true ? "1" : value == false ? "0" : tostring(value) }

  # Fargate has no tmpfs, so these are volumes that end with their task. compose/Dockerfile sets their permissions.
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

  # The load balancer ends TLS, so nginx does not; the settings are otherwise those of a single machine.
  proxy_environment = merge({ for name, value in local.configuration.proxy : "PROXY_${upper(name)}" => value if name != "tls_port" }, {
    PROXY_UPSTREAM         = "127.0.0.1"
    PROXY_SCHEME           = "https"
    PROXY_BALANCER_NETWORK = local.cloud.network
  })

  check = {
    interval    = local.web.health.interval_s
    timeout     = local.web.health.timeout_s
    retries     = local.web.health.retries
    startPeriod = local.web.health.start_period_s
  }
}
