resource "aws_ecs_cluster" "main" {
  name = local.name
}

# There is none until there is an image that it could run: the repository for it is made first.
resource "aws_ecs_service" "web" {
  count = var.web_image == "" ? 0 : 1

  name            = local.service
  cluster         = aws_ecs_cluster.main.id
  task_definition = one(aws_ecs_task_definition.web).arn
  launch_type     = "FARGATE"
  desired_count   = local.web.replicas

  # As many new ones beside the old; coherence of the configuration counts on it.
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
    container_name   = "web"
    container_port   = local.service_port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # belongs to the autoscaling
    # Where it was rolled back, it is stable all the same.
    postcondition {
      condition     = self.task_definition == one(aws_ecs_task_definition.web).arn
      error_message = "The new task definition did not get stable and was rolled back: ${self.task_definition} serves on."
    }
  }

  depends_on = [
    aws_lb_listener.https, # a target group that no listener has cannot be used
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
    cpu      = { metric = "ECSServiceAverageCPUUtilization", label = null, target = local.cloud.autoscaling.cpu_percent }
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
}
