# What a plan asks AWS for. Nobody at AWS is asked for it, so that `terraform test` needs no account: what only AWS knows
# has stand-ins here, and what would be asked even by a plan is not among the targets.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "nobody"
  secret_key                  = "nothing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}
override_data {
  target = data.aws_route53_zone.main
  values = { zone_id = "Z1" }
}
override_data {
  target = data.aws_ecr_image.must_be_pushed
}

override_resource {
  target          = aws_db_instance.main
  override_during = plan
  values = {
    address            = "database.internal"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1" }]
  }
}
override_resource {
  target          = aws_ecr_repository.web
  override_during = plan
  values = {
    arn            = "arn:aws:ecr:eu-central-1:123456789012:repository/groundwork"
    repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/groundwork"
  }
}
override_resource {
  target          = aws_cloudwatch_log_group.service
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/groundwork/service" }
}
override_resource {
  target          = aws_secretsmanager_secret.of
  override_during = plan
  values          = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:groundwork/NAME-a1b2c3" }
}
override_resource {
  target          = aws_iam_role.execution
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/groundwork-execution" }
}
override_resource {
  target          = aws_iam_role.task
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/groundwork-task" }
}

variables {
  configuration = "../config/production.json"
  web_image     = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/groundwork:1.0"
  migrate_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/groundwork:1.1"
}

run "the_database_is_out_of_reach_and_kept" {
  command = plan
  plan_options {
    target = [aws_db_instance.main]
  }

  assert {
    condition     = aws_db_instance.main.storage_encrypted && !aws_db_instance.main.publicly_accessible
    error_message = "It should be encrypted, and out of everybody's reach."
  }
  assert {
    condition     = aws_db_instance.main.deletion_protection && aws_db_instance.main.backup_retention_period > 0
    error_message = "It should be protected and backed up."
  }
  assert {
    condition     = aws_db_instance.main.manage_master_user_password && aws_db_instance.main.password == null
    error_message = "Its password should be RDS's own."
  }
  assert {
    condition     = aws_db_instance.main.performance_insights_enabled
    error_message = "What it spends its time on should be kept."
  }
  assert {
    condition     = { for each in aws_db_parameter_group.main.parameter : each.name => each.value }["rds.force_ssl"] == "1"
    error_message = "It should refuse connections without TLS."
  }
}

run "containers_are_what_the_configuration_says" {
  command = plan
  plan_options {
    target = [aws_ecs_task_definition.web, aws_ecs_task_definition.migrate]
  }

  assert {
    condition     = { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.web.readonlyRootFilesystem
    error_message = "Its root should be read-only."
  }
  assert {
    condition     = { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.web.stopTimeout == local.web.stop_grace_s
    error_message = "It should have as long to end as on one machine."
  }
  assert {
    condition     = { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.web.memory == local.web.memory_mb
    error_message = "It should have the memory that it has on one machine."
  }
  assert {
    condition     = { for each in { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.web.environment : each.name => each.value }.POSTGRES_HOST == "database.internal"
    error_message = "It should be led to the database of RDS."
  }
  assert {
    condition = length(setintersection(
      [for each in { for each in jsondecode(aws_ecs_task_definition.migrate[0].container_definitions) : each.name => each }.migrate.environment : each.name],
      [for each in { for each in jsondecode(aws_ecs_task_definition.migrate[0].container_definitions) : each.name => each }.migrate.secrets : each.name],
    )) == 0
    error_message = "No secret should stand in an environment."
  }
  assert {
    condition     = !contains([for each in { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.web.secrets : each.name], "MIGRATOR_PASSWORD")
    error_message = "The service should not be able to alter tables."
  }
  assert {
    condition     = slice(reverse({ for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.web.healthCheck.command), 0, 1) == ["/healthz"]
    error_message = "No replica should be replaced because the database does not answer."
  }
  assert { # two CPUs and 1.25 GiB in the smallest size that there is for two CPUs
    condition     = aws_ecs_task_definition.web[0].cpu == "2048" && aws_ecs_task_definition.web[0].memory == "4096"
    error_message = "The task should have a size that Fargate sells."
  }
}

run "nginx_stands_before_gunicorn" {
  command = plan
  plan_options {
    target = [aws_ecs_task_definition.web, aws_ecs_task_definition.command]
  }

  assert {
    condition     = toset([for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name]) == toset(["web", "proxy"]) && alltrue([for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.essential])
    error_message = "Both containers should be essential."
  }
  assert {
    condition     = { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.proxy.image == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/groundwork:proxy-1.0"
    error_message = "nginx should have the files of the version that it stands before."
  }
  assert {
    condition     = { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.proxy.dependsOn == [{ condition = "HEALTHY", containerName = "web" }]
    error_message = "nginx should start after gunicorn, and end before it."
  }
  assert {
    condition     = [for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.portMappings[0].containerPort if can(each.portMappings)] == [8080]
    error_message = "Nobody outside of the task should reach gunicorn."
  }
  assert {
    condition     = { for each in { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.proxy.environment : each.name => each.value }.PROXY_BALANCER_NETWORK == local.cloud.network
    error_message = "nginx should believe addresses from its own network alone."
  }
  assert {
    condition     = length(setintersection([for each in { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.web.mountPoints : each.sourceVolume], [for each in { for each in jsondecode(aws_ecs_task_definition.web[0].container_definitions) : each.name => each }.proxy.mountPoints : each.sourceVolume])) == 0
    error_message = "The containers should not write to the same volume."
  }
  assert {
    condition     = [for each in jsondecode(aws_ecs_task_definition.command[0].container_definitions) : [each.name, can(each.healthCheck)]] == [["web", false]]
    error_message = "A command should run alone."
  }
}

run "clients_are_led_to_tls_and_requests_to_replicas_that_are_ready" {
  command = plan
  plan_options {
    target = [aws_lb_listener.http, aws_lb_listener.https]
  }

  assert {
    condition     = one(aws_lb_listener.http.default_action).type == "redirect" && one(one(aws_lb_listener.http.default_action).redirect).protocol == "HTTPS"
    error_message = "Whoever comes without TLS should be sent on."
  }
  assert {
    condition     = one(aws_lb_target_group.web.health_check).path == "/readyz"
    error_message = "A replica that cannot serve should get no request."
  }
  assert { # ECS replaces what the load balancer calls unhealthy
    condition     = (one(aws_lb_target_group.web.health_check).unhealthy_threshold - 1) * one(aws_lb_target_group.web.health_check).interval > 120
    error_message = "No replica should be replaced because the database fails over."
  }
  assert {
    condition     = tonumber(aws_lb_target_group.web.deregistration_delay) == local.configuration.proxy.out_of_service_s
    error_message = "A replica that ends should be left out for as long as on one machine."
  }
  assert {
    condition     = aws_lb.main.idle_timeout < local.configuration.proxy.client_keepalive_s
    error_message = "The load balancer should close idle connections before nginx does."
  }
}

run "endpoints_lead_to_nobody_elses_account" {
  command = plan
  plan_options {
    target = [aws_vpc_endpoint.service, aws_vpc_endpoint.s3]
  }

  assert {
    condition = alltrue(flatten([for each in aws_vpc_endpoint.service : [
      for statement in jsondecode(each.policy).Statement : statement.Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
    ]]))
    error_message = "Credentials of another account should be of no use."
  }
  assert {
    condition = alltrue(flatten([for each in aws_vpc_endpoint.service : [
      for statement in jsondecode(each.policy).Statement : statement.Action == "ecr:GetAuthorizationToken" || strcontains(statement.Resource, ":123456789012:")
    ]]))
    error_message = "Another account's secrets, logs and images should be out of reach."
  }
  assert {
    condition = [for statement in jsondecode(aws_vpc_endpoint.s3.policy).Statement : [statement.Effect, statement.Action, statement.Resource]] == [
      ["Allow", "s3:GetObject", "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*"]
    ]
    error_message = "No bucket but that of ECR's layers should be in reach, and nothing should be written to it."
  }
}

run "no_image_no_service" {
  command = plan
  plan_options {
    target = [aws_ecs_task_definition.web, aws_ecs_task_definition.command, aws_ecs_task_definition.migrate]
  }
  variables {
    web_image     = ""
    migrate_image = ""
  }

  assert {
    condition     = length(aws_ecs_task_definition.web) + length(aws_ecs_task_definition.command) + length(aws_ecs_task_definition.migrate) == 0
    error_message = "Nothing should run before there is an image."
  }
}

run "latest_is_no_version" {
  command = plan
  plan_options {
    target = [aws_ecs_task_definition.web]
  }
  variables {
    web_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/groundwork:latest"
  }
  expect_failures = [var.web_image]
}

run "what_serves_needs_what_migrated" {
  command = plan
  plan_options {
    target = [aws_ecs_task_definition.web]
  }
  variables {
    migrate_image = ""
  }
  expect_failures = [var.migrate_image]
}

run "an_image_of_elsewhere_is_refused" {
  command = plan
  plan_options {
    target = [aws_ecs_task_definition.web]
  }
  variables {
    web_image = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/groundwork:1.0"
  }
  expect_failures = [data.aws_ecr_image.must_be_pushed]
}
