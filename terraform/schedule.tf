# Daily deletion of expired records, as by the systemd timer in docs/production.md; RDS makes the backups.
resource "aws_scheduler_schedule" "prune" {
  name                = "${local.name}-prune"
  schedule_expression = "cron(15 3 * * ? *)" # UTC

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = aws_ecs_cluster.main.arn
    role_arn = aws_iam_role.schedule.arn
    input    = jsonencode({ containerOverrides = [{ name = "web", command = ["flask", "--app", "wsgi", "prune"] }] })

    ecs_parameters {
      # Without a revision, it is the newest. So a release changes no schedule, and there may be none yet.
      task_definition_arn = "${local.ecs}:task-definition/${local.name}-command"
      launch_type         = "FARGATE"

      network_configuration {
        subnets          = local.private_subnets
        security_groups  = [aws_security_group.of["migrate"].id] # it serves no requests
        assign_public_ip = false
      }
    }

    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 3600
    }
  }
}

# EventBridge Scheduler may start this task in this cluster, and nothing else.
resource "aws_iam_role" "schedule" {
  name               = "${local.name}-schedule"
  assume_role_policy = data.aws_iam_policy_document.scheduler.json
}

resource "aws_iam_role_policy" "schedule" {
  role   = aws_iam_role.schedule.name
  policy = data.aws_iam_policy_document.schedule.json
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "schedule" {
  statement {
    sid       = "RunCommands"
    actions   = ["ecs:RunTask"]
    resources = ["${local.ecs}:task-definition/${local.name}-command", "${local.ecs}:task-definition/${local.name}-command:*"]
    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.main.arn]
    }
  }
  statement {
    sid       = "LetThemHaveTheirRoles"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.task.arn, aws_iam_role.execution["web"].arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}
