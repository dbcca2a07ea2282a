# What a workflow of the repository on GitHub may do, without a key that could be lost: release, and look at everything
# that a plan looks at. Whatever else a plan would change is refused, and is applied by a person. An account that knows
# GitHub already: terraform import 'aws_iam_openid_connect_provider.github[0]' ARN.
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
    condition { # no branch and no pull request: GitHub says who may use that environment
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
      "secretsmanager:DescribeSecret", "secretsmanager:GetRandomPassword", "secretsmanager:GetResourcePolicy",
      "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListTagsForResource",
    ]
    resources = ["*"]
  }
  statement {
    sid       = "LookAtSecrets" # the provider does, at each plan; and whoever starts tasks has what they have
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
    sid       = "KeepTheState"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
    resources = ["arn:aws:s3:::${local.cloud.state_bucket}", "arn:aws:s3:::${local.cloud.state_bucket}/*"]
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
    actions   = ["ecs:DeregisterTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:TagResource"]
    resources = ["*"] # the first of them knows no other
  }
  statement {
    sid       = "Migrate"
    actions   = ["ecs:RunTask"]
    resources = ["${local.ecs}:task-definition/${local.name}-migrate:*"]
  }
  statement {
    sid       = "ReplaceReplicas"
    actions   = ["ecs:StopTask", "ecs:UpdateService"]
    resources = ["${local.ecs}:service/${local.name}/${local.service}", "${local.ecs}:task/${local.name}/*"]
  }
  statement {
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
  ecs = "arn:aws:ecs:${local.cloud.region}:${data.aws_caller_identity.current.account_id}"
}
