# IAM roles. ECS itself starts tasks: it may pull images, read only the task's secrets, and write its log.
resource "aws_iam_role" "execution" {
  for_each = toset(["web", "migrate"])

  name               = "${local.name}-${each.key}-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

# Role of the containers, without permissions: they connect only to the database.
resource "aws_iam_role" "task" {
  name               = "${local.name}-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "execution" {
  for_each = aws_iam_role.execution

  role   = each.value.name
  policy = data.aws_iam_policy_document.execution[each.key].json
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  for_each = {
    web     = values(local.secrets)
    migrate = distinct([for arn in values(local.migrating_secrets) : join(":", slice(split(":", arn), 0, 7))])
  }

  statement {
    sid       = "EnterTheRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # this action supports no other resource
  }
  statement {
    sid       = "FetchTheImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.web.arn]
  }
  statement {
    sid       = "ReadItsSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = each.value
  }
  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for use in each.key == "web" ? ["web", "proxy"] : [each.key] : "${aws_cloudwatch_log_group.service.arn}:log-stream:${use}/*"]
  }
}
