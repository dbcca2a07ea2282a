# Permissions of GitHub workflows of the repository, by OIDC instead of a key that could leak: release, and read what
# a plan reads. AWS refuses all other changes of a plan; a person applies these. If the account already has GitHub as
# a provider: terraform import 'aws_iam_openid_connect_provider.github[0]' ARN.
resource "aws_iam_openid_connect_provider" "github" {
  count = local.releases_from_github ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "release" {
  count = local.releases_from_github ? 1 : 0

  name               = "${local.name}-release"
  assume_role_policy = one(data.aws_iam_policy_document.github).json
}

resource "aws_iam_role_policy" "release" {
  count = local.releases_from_github ? 1 : 0

  role   = one(aws_iam_role.release).name
  policy = one(data.aws_iam_policy_document.release).json
}

locals {
  releases_from_github = can(local.cloud.github_repository)
}

data "aws_iam_policy_document" "github" {
  count = local.releases_from_github ? 1 : 0

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [one(aws_iam_openid_connect_provider.github).arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition { # the environment, not a branch or pull request: GitHub controls access to it
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${local.cloud.github_repository}:environment:production"]
    }
  }
}

data "aws_iam_policy_document" "release" {
  count = local.releases_from_github ? 1 : 0

  statement {
    sid = "Look"
    actions = [
      "acm:DescribeCertificate", "acm:ListTagsForCertificate",
      "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies",
      "application-autoscaling:ListTagsForResource",
      "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource",
      "ec2:Describe*",
      "ecr:GetAuthorizationToken",
      "ecs:Describe*", "ecs:List*",
      "elasticloadbalancing:Describe*",
      "iam:GetOpenIDConnectProvider", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
      "logs:DescribeLogGroups", "logs:ListTagsForResource",
      "rds:Describe*", "rds:ListTagsForResource",
      "route53:GetHostedZone", "route53:ListHostedZones", "route53:ListResourceRecordSets", "route53:ListTagsForResource",
      "scheduler:GetSchedule",
      "secretsmanager:DescribeSecret", "secretsmanager:GetRandomPassword", "secretsmanager:GetResourcePolicy",
      "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListTagsForResource",
    ]
    resources = ["*"]
  }
  statement {
    sid       = "LookAtSecrets" # the provider reads them in every plan
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for each in aws_secretsmanager_secret.of : each.arn]
  }
  statement {
    sid = "LookAtTheBucketOfAccessLogs"
    actions = [
      "s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
      "s3:GetReplicationConfiguration", "s3:ListBucket",
    ]
    resources = [aws_s3_bucket.access_logs.arn]
  }
  statement {
    sid       = "FindTheState"
    actions   = ["s3:ListBucket"]
    resources = [local.state_bucket]
  }
  statement {
    sid       = "KeepTheState"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.state_bucket}/${local.state_key}", "${local.state_bucket}/${local.state_key}.tflock"]
  }
  statement {
    sid       = "UnlockTheState"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.state_bucket}/${local.state_key}.tflock"]
  }
  statement {
    sid = "PushAnImage"
    actions = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:Describe*",
      "ecr:GetDownloadUrlForLayer", "ecr:GetLifecyclePolicy", "ecr:InitiateLayerUpload", "ecr:ListTagsForResource",
      "ecr:PutImage", "ecr:UploadLayerPart",
    ]
    resources = [aws_ecr_repository.web.arn]
  }
  statement {
    sid       = "DefineTasks"
    actions   = ["ecs:DeregisterTaskDefinition", "ecs:RegisterTaskDefinition"]
    resources = ["*"] # ecs:DeregisterTaskDefinition supports no other resource
  }
  statement {
    sid       = "TagWhatItDefines"
    actions   = ["ecs:TagResource"]
    resources = ["${local.ecs}:task-definition/${local.name}-*:*"]
    condition {
      test     = "StringEquals"
      variable = "ecs:CreateAction"
      values   = ["RegisterTaskDefinition"]
    }
  }
  statement {
    sid       = "Migrate"
    actions   = ["ecs:RunTask"]
    resources = ["${local.ecs}:task-definition/${local.name}-migrate:*"]
    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.main.arn]
    }
  }
  statement {
    sid       = "ReplaceReplicas"
    actions   = ["ecs:StopTask", "ecs:UpdateService"]
    resources = ["${local.ecs}:service/${local.name}/${local.service}", "${local.ecs}:task/${local.name}/*"]
  }
  statement { # a release chooses the code with these roles, so it can read their secrets: docs/decisions, 27
    sid       = "LetTasksHaveTheirRoles"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.task.arn, aws_iam_role.execution["web"].arn, aws_iam_role.execution["migrate"].arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
  statement {
    sid       = "ReadWhatTasksSay"
    actions   = ["logs:FilterLogEvents", "logs:GetLogEvents"]
    resources = ["${aws_cloudwatch_log_group.service.arn}:*"]
  }
}

locals {
  ecs          = "arn:aws:ecs:${local.account}"
  state_bucket = "arn:aws:s3:::${local.cloud.state_bucket}"
  state_key    = regex("key += \"(.+)\"", file("${path.module}/versions.tf"))[0]
}
