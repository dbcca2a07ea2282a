resource "aws_ecs_cluster" "main" {
  name = local.name
}

# Created only once there is an image to run, because the first apply creates the registry.
resource "aws_ecs_service" "web" {
  count = var.web_image == "" ? 0 : 1

  name            = local.service
  cluster         = aws_ecs_cluster.main.id
  task_definition = one(aws_ecs_task_definition.web).arn
  launch_type     = "FARGATE"
  desired_count   = local.web.replicas

  # New replicas start next to all old ones. Cross-field validation of the configuration relies on this.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = local.web.health.start_period_s
  availability_zone_rebalancing      = "ENABLED"
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = true

  timeouts {
    create = "${local.cloud.deployment_timeout_s}s"
    update = "${local.cloud.deployment_timeout_s}s"
  }

  network_configuration {
    subnets         = local.private_subnets
    security_groups = [aws_security_group.of["web"].id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.web.arn
    container_name   = "proxy"
    container_port   = local.proxy_port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling changes it
    # The service is also stable after a rollback, so this detects one.
    postcondition {
      condition     = self.task_definition == one(aws_ecs_task_definition.web).arn
      error_message = "The new task definition did not get stable and was rolled back: ${self.task_definition} serves on."
    }
  }

  depends_on = [
    aws_lb_listener.https, # ECS requires a target group with a listener
    aws_iam_role_policy.execution,
    aws_vpc_endpoint.service,
    aws_vpc_endpoint.s3,
    aws_secretsmanager_secret_version.of,
  ]
}

resource "aws_appautoscaling_target" "web" {
  count = var.web_image == "" ? 0 : 1

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${one(aws_ecs_service.web).name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = local.web.replicas
  max_capacity       = local.cloud.autoscaling.replicas_max
}

resource "aws_appautoscaling_policy" "web" {
  for_each = var.web_image == "" ? {} : {
    cpu      = { metric = "ECSServiceAverageCPUUtilization", label = null, target = local.cpu_target }
    requests = { metric = "ALBRequestCountPerTarget", label = "${aws_lb.main.arn_suffix}/${aws_lb_target_group.web.arn_suffix}", target = local.cloud.autoscaling.requests_per_minute }
  }

  name               = each.key
  policy_type        = "TargetTrackingScaling"
  service_namespace  = one(aws_appautoscaling_target.web).service_namespace
  resource_id        = one(aws_appautoscaling_target.web).resource_id
  scalable_dimension = one(aws_appautoscaling_target.web).scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.target
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      resource_label         = each.value.label
    }
  }
}

locals {
  service = "${local.name}-web"

  # ECS measures the whole task, and gunicorn can use its part of it only: cpu_percent is of that part.
  cpu_target = floor(local.cloud.autoscaling.cpu_percent * local.units.web / local.size.web.cpu)
}
